"""Reports about the use of an image in other accounts. moto lacks them.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/your-ec2-ami-usage.html"""

import time

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.responses.amis import AmisResponse
from moto.moto_api._internal import mock_random

from .image_sharing import own_image

REPORT_SECONDS = 0.5

reports = {}


def create_report(response):
    backend = response.ec2_backend
    ami = own_image(backend, response._get_param("ImageId"))
    types = [one["ResourceType"] for one in response._get_param("ResourceTypes")]
    report_id = f"amiur-{mock_random.get_random_hex(17)}"
    reports[report_id] = {
        "account": backend.account_id,
        "ReportId": report_id,
        "ImageId": ami.id,
        "ResourceTypes": [{"ResourceType": one} for one in types],
        "CreationTime": utcnow(),
        "started": time.monotonic(),
        "entries": [
            {"AccountId": account, "ResourceType": kind, "UsageCount": count}
            for account, kind, count in usages(backend, ami.id)
            if kind in types
        ],
    }
    return ActionResult({"ReportId": report_id})


def usages(backend, image_id):
    from moto.ec2.models import ec2_backends

    for account, regions in list(ec2_backends.items()):
        if account == backend.account_id or backend.region_name not in regions:
            continue
        other = regions[backend.region_name]
        instances = [one for one in other.all_instances() if one.image_id == image_id and one.state != "terminated"]
        templates = [
            one
            for one in other.launch_templates.values()
            if any(version.data.get("ImageId") == image_id for version in one.versions)
        ]
        for kind, found in (("ec2:Instance", instances), ("ec2:LaunchTemplate", templates)):
            if found:
                yield account, kind, len(found)


def selected(response):
    ids = response._get_param("ReportIds", [])
    images = response._get_param("ImageIds", [])
    for report in list(reports.values()):
        if report["account"] != response.ec2_backend.account_id:
            continue
        if (ids and report["ReportId"] not in ids) or (images and report["ImageId"] not in images):
            continue
        yield report, time.monotonic() - report["started"] >= REPORT_SECONDS


def describe_reports(response):
    found = [{**report, "State": "available" if done else "pending"} for report, done in selected(response)]
    return ActionResult({"ImageUsageReports": found})


def describe_entries(response):
    found = [
        {
            **entry,
            "ReportId": report["ReportId"],
            "ImageId": report["ImageId"],
            "ReportCreationTime": report["CreationTime"],
        }
        for report, done in selected(response)
        if done
        for entry in report["entries"]
    ]
    return ActionResult({"ImageUsageReportEntries": found})


def delete_report(response):
    reports.pop(response._get_param("ReportId"), None)
    return ActionResult({"Return": True})


def install():
    AmisResponse.create_image_usage_report = create_report
    AmisResponse.describe_image_usage_reports = describe_reports
    AmisResponse.describe_image_usage_report_entries = describe_entries
    AmisResponse.delete_image_usage_report = delete_report
