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
  description = "empty: the default VPC's"
  default     = ""
}

variable "ec2_endpoint" {
  type    = string
  default = ""
}

variable "ssh_interface" {
  type        = string
  description = "how the builder is reached: public_ip, private_ip, or session_manager in a private subnet"
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
  description = "Debian's AWS account"
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
  description = "empty: the account's default key for EBS"
  default     = ""
}

variable "polling_seconds" {
  type    = number
  default = 5
}

variable "stage" {
  type        = string
  description = "the tar of everything that goes into the image"
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
    condition     = contains(["real", "double"], var.eclair_kind)
    error_message = "The eclair_kind must be real or double."
  }
}

variable "eclair_version" {
  type = string
}

variable "tags" {
  type = map(string)
}
