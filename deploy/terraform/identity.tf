# Who the worker is, and what it may do. Nobody can take the role unless rrsa or ecs_ram_role says who.

locals {
  # Without white space, which counts toward the length that RAM takes.
  worker_policy = jsonencode(jsondecode(coalesce(var.worker_policy, templatefile("${path.module}/worker-policy.json.tftpl", {
    account_id        = local.account_id
    region            = local.region
    queue             = var.queue_name
    dead_letter_queue = var.dead_letter_queue_name
  }))))

  trusted_pods = var.rrsa == null ? [] : [{
    Effect    = "Allow"
    Action    = "sts:AssumeRole"
    Principal = { Federated = [var.rrsa.oidc_provider_arn] }
    Condition = {
      StringEquals = {
        "oidc:aud" = ["sts.aliyuncs.com"]
        "oidc:iss" = [var.rrsa.issuer]
        "oidc:sub" = ["system:serviceaccount:${var.rrsa.namespace}:${var.rrsa.service_account}"]
      }
    }
  }]

  trusted_instances = var.ecs_ram_role ? [jsonencode({
    Effect    = "Allow"
    Action    = "sts:AssumeRole"
    Principal = { Service = ["ecs.aliyuncs.com"] }
  })] : []

  # Statements of two shapes are one list only as documents.
  trusted = concat([for each in local.trusted_pods : jsonencode(each)], local.trusted_instances)
}

resource "alicloud_ram_policy" "worker" {
  policy_name     = var.name
  description     = "What config-remediator may do"
  policy_document = local.worker_policy
  rotate_strategy = "DeleteOldestNonDefaultVersionWhenLimitExceeded" # RAM keeps five versions and then refuses
}

resource "alicloud_ram_role" "worker" {
  count = length(local.trusted) > 0 ? 1 : 0

  role_name                   = var.name
  description                 = "Identity of config-remediator"
  assume_role_policy_document = jsonencode({ Version = "1", Statement = [for each in local.trusted : jsondecode(each)] })
  max_session_duration        = 3600
}

resource "alicloud_ram_role_policy_attachment" "worker" {
  count = length(local.trusted) > 0 ? 1 : 0

  role_name   = alicloud_ram_role.worker[0].role_name
  policy_name = alicloud_ram_policy.worker.policy_name
  policy_type = "Custom"
}
