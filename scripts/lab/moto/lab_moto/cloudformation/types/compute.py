"""Launch templates."""

from .api import Type



def template_data(properties):
    """The data of a version in the form of EC2's API, whose names differ from CloudFormation's in no property."""
    return properties.plain("LaunchTemplateData")


class LaunchTemplate(Type):
    changeable = ("LaunchTemplateData",)

    def create(self, lab, properties, name):
        template = lab.ec2.create_launch_template(
            LaunchTemplateName=properties.get("LaunchTemplateName", name),
            LaunchTemplateData=template_data(properties),
        )["LaunchTemplate"]
        attributes = {"LaunchTemplateId": template["LaunchTemplateId"]}
        return template["LaunchTemplateId"], {**attributes, **versions(template["LatestVersionNumber"])}

    def change(self, lab, resource, properties, old):
        """A change of the data creates a version with all of the template's data, and without that of earlier versions.
        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-launchtemplate.html"""
        version = lab.ec2.create_launch_template_version(
            LaunchTemplateId=resource.physical_id, LaunchTemplateData=template_data(properties)
        )["LaunchTemplateVersion"]
        return versions(version["VersionNumber"])

    def delete(self, lab, resource):
        lab.ec2.delete_launch_template(LaunchTemplateId=resource.physical_id)


def versions(latest):
    return {"LatestVersionNumber": str(latest), "DefaultVersionNumber": "1"}


TYPES = {"AWS::EC2::LaunchTemplate": LaunchTemplate()}
