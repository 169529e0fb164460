variable "region" {
  type = string
}

variable "image_name" {
  type = string
}

variable "instance_type" {
  type = string
}

variable "subnet_id" {
  type        = string
  description = "the subnet of the builder; empty for a default subnet"
  default     = ""
}

variable "ec2_endpoint" {
  type    = string
  default = ""
}

variable "ssh_interface" {
  type        = string
  description = "the connection to the builder: public_ip, private_ip, or session_manager in a private subnet"
  default     = "public_ip"
  validation {
    condition     = contains(["public_ip", "private_ip", "session_manager"], var.ssh_interface)
    error_message = "The ssh_interface must be public_ip, private_ip or session_manager."
  }
}

variable "iam_instance_profile" {
  type    = string
  default = ""
}

variable "source_image_owner" {
  type        = string
  description = "the AWS account that owns the base image; by default Debian's"
  default     = "136693071363"
}

variable "source_image_name" {
  type = string
}

variable "root_volume_gibibytes" {
  type    = number
  default = 8
}

variable "kms_key_id" {
  type        = string
  description = "the key of the snapshots; empty for the default EBS key of the account"
  default     = ""
}

variable "polling_seconds" {
  type    = number
  default = 5
}

variable "bundle" {
  type        = string
  description = "the tar file of everything that goes into the image"
}

variable "bitcoind_kind" {
  type = string
  validation {
    condition     = contains(["release", "debian"], var.bitcoind_kind)
    error_message = "The bitcoind_kind must be release or debian."
  }
}

variable "eclair_kind" {
  type = string
  validation {
    condition     = contains(["real", "stand-in"], var.eclair_kind)
    error_message = "The eclair_kind must be real or stand-in."
  }
}

variable "eclair_version" {
  type = string
}

variable "tags" {
  type = map(string)
}
