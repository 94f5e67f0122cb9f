# Who the worker is and the job that catches up, and what each may do. Nobody can take a role unless rrsa or ecs_ram_role
# says who.

locals {
  named = {
    account_id        = local.account_id
    region            = local.region
    queue             = var.queue_name
    dead_letter_queue = var.dead_letter_queue_name
  }

  identities = merge(
    {
      worker = {
        name            = var.name
        description     = "config-remediator"
        policy          = coalesce(var.worker_policy, templatefile("${path.module}/worker-policy.json.tftpl", local.named))
        service_account = try(var.rrsa.service_account, null)
      }
    },
    var.catch_up ? {
      catch_up = {
        name            = "${var.name}-catch-up"
        description     = "config-remediator catch-up"
        policy          = coalesce(var.catch_up_policy, templatefile("${path.module}/catch-up-policy.json.tftpl", local.named))
        service_account = try(var.rrsa.catch_up_service_account, null)
      }
    } : {}
  )

  # Documents, since statements of two shapes are no list of one type.
  trusted_instances = var.ecs_ram_role ? [jsonencode({
    Effect    = "Allow"
    Action    = "sts:AssumeRole"
    Principal = { Service = ["ecs.aliyuncs.com"] }
  })] : []

  trusted = {
    for key, identity in local.identities : key => concat(
      var.rrsa == null ? [] : [jsonencode({
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Federated = [var.rrsa.oidc_provider_arn] }
        Condition = {
          StringEquals = {
            "oidc:aud" = ["sts.aliyuncs.com"]
            "oidc:iss" = [var.rrsa.issuer]
            "oidc:sub" = ["system:serviceaccount:${var.rrsa.namespace}:${identity.service_account}"]
          }
        }
      })],
      local.trusted_instances
    )
  }

  roles = var.rrsa != null || var.ecs_ram_role ? local.identities : {}
}

resource "alicloud_ram_policy" "this" {
  for_each = local.identities

  policy_name     = each.value.name
  description     = "What ${each.value.description} may do"
  policy_document = jsonencode(jsondecode(each.value.policy))        # white space counts toward the length that RAM takes
  rotate_strategy = "DeleteOldestNonDefaultVersionWhenLimitExceeded" # RAM keeps five versions and then refuses
}

resource "alicloud_ram_role" "this" {
  for_each = local.roles

  role_name                   = each.value.name
  description                 = "Identity of ${each.value.description}"
  assume_role_policy_document = jsonencode({ Version = "1", Statement = [for statement in local.trusted[each.key] : jsondecode(statement)] })
  max_session_duration        = 3600
}

resource "alicloud_ram_role_policy_attachment" "this" {
  for_each = local.roles

  role_name   = alicloud_ram_role.this[each.key].role_name
  policy_name = alicloud_ram_policy.this[each.key].policy_name
  policy_type = "Custom"
}
