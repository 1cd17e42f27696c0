from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

HOST = "127.0.0.1"


def build() -> None:
    from django.core.management import call_command

    from oscarshop import stock

    call_command("migrate", run_syncdb=True, verbosity=0)
    stock.fill()
    # A product is indexed when it is saved, which is before it has a category.
    call_command("rebuild_index", interactive=False, verbosity=0)


def serve(data: Path) -> None:
    """Serve on a free port; the first line on stdout says where, each further one answers a command."""
    from django.contrib.sites.models import Site
    from django.core.wsgi import get_wsgi_application
    from waitress.server import create_server

    from oscarshop import stock

    shop = get_wsgi_application()
    (data / "access.log").touch()

    def counted(environ, start_response):
        with (data / "access.log").open("a", encoding="utf-8") as log:
            log.write(environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace") + "\n")
        return shop(environ, start_response)

    server = create_server(counted, host=HOST, port=0, threads=8)
    # The sitemap takes its host from this row.
    Site.objects.update_or_create(
        id=1, defaults={"domain": f"{HOST}:{server.effective_port}", "name": "shop"}
    )
    answer({"base_url": f"http://{HOST}:{server.effective_port}", "products": stock.listed()})
    threading.Thread(target=server.run, daemon=True).start()
    obey()


def obey() -> None:
    """Carry out ``<deed> <product id>`` lines from stdin until it closes, as it does when the parent ends."""
    from oscarshop import stock

    deeds = {
        "unpublish": lambda product: stock.set_public(product, False),
        "publish": lambda product: stock.set_public(product, True),
        "sell_out": lambda product: stock.set_stock(product, 0),
        "restock": lambda product: stock.set_stock(product, stock.FULL),
    }
    for line in sys.stdin:
        deed, product = line.split()
        deeds[deed](int(product))
        answer({"done": line.strip()})


def answer(message: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main(deed: str, folder: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "oscarshop.settings"
    os.environ["OSCARSHOP_DATA"] = folder
    import django

    django.setup()
    build() if deed == "build" else serve(Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
