packer {
  required_version = ">= 1.11.0"
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = ">= 1.3.2, < 2.0.0"
    }
  }
}

locals {
  by_public_ip = var.ec2_endpoint == "" && var.ssh_interface == "public_ip"
  private_sources = var.ssh_interface == "session_manager" ? ["127.0.0.1/32"] : [
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
  ]
}

source "amazon-ebs" "eclair" {
  region        = var.region
  instance_type = var.instance_type
  subnet_id     = var.subnet_id
  # Independent of the default of the subnet.
  associate_public_ip_address = local.by_public_ip && var.subnet_id != "" ? true : null

  # The endpoint of a lab; empty for AWS.
  custom_endpoint_ec2     = var.ec2_endpoint
  skip_metadata_api_check = var.ec2_endpoint != ""

  ami_name        = var.image_name
  ami_description = "Eclair ${var.eclair_version} on Debian 13, built by eclair-ami"
  # Instances of the image require IMDSv2, unless a launch template permits IMDSv1.
  imds_support = "v2.0"

  source_ami_filter {
    owners      = [var.source_image_owner]
    most_recent = true
    filters = {
      name                = var.source_image_name
      root-device-type    = "ebs"
      virtualization-type = "hvm"
    }
  }

  launch_block_device_mappings {
    device_name           = "/dev/xvda"
    volume_type           = "gp3"
    volume_size           = var.root_volume_gibibytes
    delete_on_termination = true
    # The snapshot of an encrypted volume is encrypted with the same key.
    encrypted  = true
    kms_key_id = var.kms_key_id
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  communicator                              = "ssh"
  ssh_username                              = "admin"
  ssh_interface                             = var.ssh_interface
  ssh_timeout                               = "5m"
  ssh_handshake_attempts                    = 200
  ssh_keep_alive_interval                   = "10s"
  ssh_read_write_timeout                    = "15m"
  temporary_key_pair_type                   = "ed25519"
  iam_instance_profile                      = var.iam_instance_profile

  # The sources that can reach the SSH port of the builder: the public address of this machine, or private networks
  # (RFC 1918, RFC 6598), or, with Session Manager, only the builder itself.
  temporary_security_group_source_public_ip = local.by_public_ip
  temporary_security_group_source_cidrs     = local.by_public_ip ? null : local.private_sources

  aws_polling {
    delay_seconds = var.polling_seconds
    max_attempts  = 600
  }

  run_tags        = merge(var.tags, { Name = "${var.image_name} (builder)" })
  run_volume_tags = var.tags
  snapshot_tags   = merge(var.tags, { Name = var.image_name })
  tags            = merge(var.tags, { Name = var.image_name })
}

build {
  sources = ["source.amazon-ebs.eclair"]

  # On AWS, cloud-init must finish its use of apt before the first script uses apt.
  provisioner "shell" {
    inline = ["cloud-init status --wait >/dev/null || [ $? -eq 2 ]"]
  }

  provisioner "file" {
    source      = var.bundle
    destination = "/tmp/eclair-ami.tar"
  }

  provisioner "shell" {
    execute_command = "chmod +x {{ .Path }}; sudo env {{ .Vars }} {{ .Path }}"
    environment_vars = [
      "BITCOIND_KIND=${var.bitcoind_kind}",
      "ECLAIR_KIND=${var.eclair_kind}",
    ]
    scripts = [
      "${path.root}/provision/10-packages.sh",
      "${path.root}/provision/20-artifacts.sh",
      "${path.root}/provision/30-rootfs.sh",
      "${path.root}/provision/40-train.sh",
      "${path.root}/provision/80-cleanup.sh",
      "${path.root}/provision/90-validate.sh",
    ]
    # The last script has removed the uploaded scripts.
    skip_clean = true
  }
}
