import { RemovalPolicy, type CfnResource } from "aws-cdk-lib";

/**
 * Keeps a resource when its stack is deleted, and when an update replaces or removes it. Only the rollback of the operation
 * that creates the resource deletes it, so that a failed deployment can be repeated.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
 * @param logicalId the id in the template. Another id would be another resource, so no refactoring may change it.
 */
export function retain<Resource extends CfnResource>(resource: Resource, logicalId: string): Resource {
  resource.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
  resource.overrideLogicalId(logicalId);
  return resource;
}
