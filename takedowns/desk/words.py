"""What people read for each code: kind → code → English, which the catalogue translates."""

from __future__ import annotations

from collections.abc import Mapping

from takedowns.desk.i18n import N_

WORDS: Mapping[str, Mapping[str, str]] = {
    "label": {
        "benign": N_("Harmless"),
        "ecig_overt": N_("E-cigarette, openly"),
        "disguised_medical": N_("Disguised as medical device"),
        "disguised_drink": N_("Disguised as plant drink"),
        "disguised_other": N_("Other disguise"),
        "other_tobacco": N_("Other tobacco"),
    },
    "finding": {
        "violation": N_("Violation"),
        "not_violation": N_("Not violating"),
        "undetermined": N_("Undetermined"),
        "invalid": N_("Invalid"),
    },
    "reason": {
        "lawful_medical_device": N_("Lawful medical device"),
        "lawful_drink": N_("Lawful drink"),
        "lawful_other_goods": N_("Other lawful goods"),
        "not_for_sale": N_("Not for sale"),
        "duplicate": N_("Duplicate"),
        "wrong_text": N_("Text wrongly read"),
    },
    "task_state": {
        "queued": N_("Waiting"),
        "leased": N_("Being reviewed"),
        "on_hold": N_("On hold"),
        "escalated": N_("Escalated"),
        "second_review": N_("Second review"),
        "decided": N_("Decided"),
    },
    "lead_state": {
        "ready": N_("Ready to send"),
        "sent": N_("Sent"),
        "acknowledged": N_("Acknowledged"),
        "responded": N_("Answered"),
        "closed": N_("Closed"),
        "withdrawn": N_("Withdrawn"),
    },
    "notice_state": {
        "draft": N_("Draft"),
        "approved": N_("Approved"),
        "sent": N_("Sent"),
        "send_failed": N_("Sending failed"),
        "acknowledged": N_("Acknowledged"),
        "answered": N_("Answered"),
        "lapsed": N_("Lapsed"),
        "cancelled": N_("Cancelled"),
    },
    "outcome": {
        "removed_verified": N_("Removal verified"),
        "removed_unclaimed": N_("Removed, not claimed"),
        "gone_before": N_("Gone before sending"),
        "altered": N_("Altered"),
        "false_claim": N_("False claim"),
        "not_removed": N_("Not removed"),
        "unverifiable": N_("Unverifiable"),
        "relisted": N_("Relisted"),
    },
    "presence": {
        "up": N_("Online"),
        "gone": N_("Gone"),
        "altered": N_("Altered"),
        "blocked": N_("Blocked"),
        "error": N_("Error"),
    },
    "measure": {
        "deleted": N_("Deleted"),
        "blocked": N_("Hidden"),
        "link_cut": N_("Link cut"),
        "shop_closed": N_("Shop closed"),
        "account_closed": N_("Account closed"),
        "mini_program_closed": N_("Mini-program closed"),
        "none": N_("No action"),
        "refused": N_("Refused"),
        "disputed": N_("Disputed"),
    },
    "relisting": {
        "same_url": N_("Same address again"),
        "same_text": N_("Same text, new listing"),
        "same_image": N_("Same picture, new listing"),
    },
    "role": {
        "operator": N_("Operator"),
        "analyst": N_("Analyst"),
        "supervisor": N_("Supervisor"),
        "admin": N_("Administrator"),
    },
    "run_state": {
        "running": N_("Running"),
        "ok": N_("Succeeded"),
        "partial": N_("Partly succeeded"),
        "blocked": N_("Blocked"),
        "failed": N_("Failed"),
        "missed": N_("Missed"),
    },
    "run_kind": {
        "sweep": N_("Sweep"),
        "recheck": N_("Recheck"),
        "sample": N_("Random sample"),
        "capture": N_("Screenshots"),
        "look": N_("Look for a profile"),
    },
    "errand": {
        "blocked": N_("Walled off: look by hand, or agree on access"),
        "unhealthy": N_("What is read makes no sense: mend the profile"),
        "unreachable": N_("Does not answer: look at its address and the network"),
        "given_up": N_("Broke off again and again: look into the log"),
    },
    "seller_kind": {
        "merchant": N_("Merchant"),
        "account": N_("Account"),
        "mini_program": N_("Mini-program"),
    },
    "queue": {
        "disguise": N_("Disguise"),
        "relisted": N_("Relisted"),
        "tip": N_("Tip"),
        "audit": N_("Audit"),
    },
    "road": {
        "sweep": N_("Sweep"),
        "sample": N_("Random sample"),
        "import": N_("Imported file"),
        "pasted": N_("Pasted link"),
        "tip": N_("Tip"),
    },
    "field": {
        "title": N_("Title"),
        "description": N_("Description"),
        "shop": N_("Shop"),
        "price": N_("Price"),
    },
    "claim_status": {
        "format_ok": N_("Form is right"),
        "format_bad": N_("Form is wrong"),
        "inconsistent": N_("Contradicts itself"),
        "needs_register_lookup": N_("Look it up in the register"),
    },
    "error": {
        "http_403": N_("Your role has no access to this page."),
        "http_404": N_("There is no such page."),
        "http_405": N_("This address cannot be used that way."),
        "http_409": N_("This is no longer possible: somebody was faster."),
        "unreadable_request": N_(
            "The desk could not read this request: a value in the address or form is not valid."
        ),
        "wrong_login": N_("Login or password is wrong."),
        "too_many_attempts": N_("Too many failed attempts: try again in a quarter of an hour."),
    },
    "refusal": {
        "unknown_task": N_("There is no such item."),
        "task_state": N_("The item's state does not allow this."),
        "stale_task": N_(
            "This item changed after you opened it. Nothing was recorded; this is how it is now."
        ),
        "not_your_task": N_("Somebody else has this item. Nothing was recorded."),
        "too_many_held": N_("You hold as many items as allowed. Decide or skip one of these first:"),
        "invalid_decision": N_(
            "The decision is incomplete: a violation needs its kind, a dismissal its reason."
        ),
        "too_late_to_undo": N_("Too late to undo: the lead was sent, or the decision was replaced already."),
        "not_allowed": N_("Your role does not allow this."),
        "notice": N_("This cannot be recorded."),
        "unknown_notice": N_("There is no such notice."),
        "stale_notice": N_(
            "This notice changed after you opened it. Nothing was recorded; this is how it is now."
        ),
        "notice_state": N_("The notice's state does not allow this."),
        "lead_not_ready": N_("A lead cannot be put into this notice."),
        "too_many_leads": N_("The number of leads does not fit into one notice."),
        "two_person": N_("A second person has to approve: you wrote this notice or found one of its leads."),
        "being_sent": N_("The notice is being sent at this moment."),
        "unknown_lead": N_("There is no such lead."),
        "lead_state": N_("The lead's state does not allow this."),
        "letter": N_("The template of the notice cannot be used."),
        "config": N_("A configuration file cannot be used."),
    },
    "said": {
        "decided": N_("Recorded. Next item:"),
        "skipped": N_("Skipped. Next item:"),
        "undone": N_("Undone. Again before you:"),
    },
    "event": {
        "first_seen": N_("first seen"),
        "decided": N_("violation confirmed"),
        "drafted": N_("notice drafted"),
        "approved": N_("notice approved"),
        "sent": N_("sent"),
        "claimed": N_("the platform answered"),
        "looked": N_("we looked"),
        "verified": N_("our finding"),
        "relisted": N_("came back"),
        "closed": N_("closed"),
    },
}
