"""The CloudFormation of the lab: change sets, replacement, retention, rollback and stack policies, which moto lacks.
The resources are created with calls of the lab's own API, so that their limits and their effects are those of any caller."""
