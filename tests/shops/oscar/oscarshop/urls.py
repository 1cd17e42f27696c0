from __future__ import annotations

from django.apps import apps
from django.conf import settings
from django.contrib.sitemaps import GenericSitemap
from django.contrib.sitemaps.views import sitemap
from django.contrib.staticfiles.views import serve as serve_static
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.static import serve
from oscar.apps.catalogue.models import Product

CLOSED = ("/private/", "/basket/", "/checkout/", "/accounts/", "/dashboard/")


def robots(request: HttpRequest) -> HttpResponse:
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED)]
    lines += ["", f"Sitemap: {request.build_absolute_uri('/sitemap.xml')}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain")


products = GenericSitemap({"queryset": Product.objects.browsable().order_by("id")}, protocol="http")

urlpatterns = [
    path("robots.txt", robots),
    path("sitemap.xml", sitemap, {"sitemaps": {"products": products}}),
    path("static/<path:path>", serve_static, {"insecure": True}),
    path("media/<path:path>", serve, {"document_root": settings.MEDIA_ROOT}),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include(apps.get_app_config("oscar").urls[0])),
]
