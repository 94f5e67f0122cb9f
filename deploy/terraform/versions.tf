terraform {
  # import blocks came with 1.5.
  required_version = ">= 1.5.0"

  required_providers {
    alicloud = {
      source = "aliyun/alicloud"
      # 1.252.0 brought role_name and assume_role_policy_document to alicloud_ram_role; 2 may change anything.
      version = ">= 1.252.0, < 2.0.0"
    }
  }
}
