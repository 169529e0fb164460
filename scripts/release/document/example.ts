/** A release document with explanations. `release check` accepts it when its keys, subnets and bucket exist. */
export const exampleRelease = `# Where and to whom images are published. \`eclair-ami release check --config release.yaml\` checks this document.
apiVersion: eclair-ami/v1
kind: Release

# The partition of all regions: aws, aws-cn or aws-us-gov.
partition: aws
# The account that owns the published images.
accountId: "123456789012"
# The role to assume; without it, the credentials of the caller are used. \`eclair-ami policy publisher\` prints its policy.
roleArn: arn:aws:iam::123456789012:role/eclair-publisher

regions:
  eu-central-1:
    # A customer managed key: an image with the key aws/ebs, the default of a bake, cannot be shared.
    # Bake with --kms-key and the key of the region of the bake: the image is then used itself in that region.
    # \`eclair-ami policy image-key\` prints the policy of the key.
    kmsKeyArn: arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab
    # For the instance that tests the image. All are optional.
    test:
      subnetId: subnet-0123456789abcdef0
      securityGroupIds: [sg-0123456789abcdef0]
  eu-west-1:
    kmsKeyArn: arn:aws:kms:eu-west-1:123456789012:key/2345bcde-12ab-34cd-56ef-1234567890ab

# Who may launch the images, in addition to the account that owns them.
principals:
  accounts: ["210987654321"]
  organizations: []
  organizationalUnits: []
# The accounts may also copy the images: \`accounts\` or \`off\`.
shareSnapshots: accounts

parameterPrefix: /eclair-ami
channels: [candidate, stable]

retention:
  # Versions that \`release prune\` keeps in each channel.
  versions: 3
  # An image that was launched within this time is in use.
  launchedWithinDays: 30
deprecation:
  afterDays: 365
# with-cooldown or without-cooldown: the time between the end of the protection and the removal of an image, 24 hours or none.
deregistrationProtection: with-cooldown

# A bucket with versioning, for manifests, versions and channels.
manifests:
  bucket: example-eclair-releases
  region: eu-central-1
  prefix: ""
`;
