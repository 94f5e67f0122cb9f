{{/* The name of everything: the release's, with the chart's unless it holds that. With -catch-up it is a CronJob's, which may have
52, so a long one is cut, and ends with a digest of the whole: two that begin alike stay two. It is also the job of the metrics. */}}
{{- define "cr.name" -}}
{{- $name := .Release.Name -}}
{{- if not (contains .Chart.Name $name) -}}
{{- $name = printf "%s-%s" $name .Chart.Name -}}
{{- end -}}
{{- if gt (len $name) 43 -}}
{{- $name = printf "%s-%s" ($name | trunc 34 | trimSuffix "-") ($name | sha256sum | trunc 8) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "cr.serviceAccount" -}}
{{- default (include "cr.name" .) .Values.serviceAccount.name -}}
{{- end -}}

{{/* With a hash in their names, as kustomize has: a change is a rollout, and a pod that starts anew meanwhile reads what it always did. */}}
{{- define "cr.config" -}}
{{- printf "%s-%s" (include "cr.name" .) (.Values.config | sha256sum | trunc 10) -}}
{{- end -}}

{{- define "cr.identity" -}}
{{- printf "%s-identity-%s" (include "cr.name" .) (.Values.credentials.rrsa | toJson | sha256sum | trunc 10) -}}
{{- end -}}

{{- define "cr.catchUpIdentity" -}}
{{- printf "%s-catch-up-identity-%s" (include "cr.name" .) (list .Values.catchUp.roleArn .Values.credentials.rrsa.oidcProviderArn | toJson | sha256sum | trunc 10) -}}
{{- end -}}

{{/* What selects the pods; the instance keeps two releases apart. */}}
{{- define "cr.selector" -}}
app.kubernetes.io/name: config-remediator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "cr.catchUpSelector" -}}
app.kubernetes.io/name: config-remediator-catch-up
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "cr.chartLabels" -}}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "cr.labels" -}}
{{ include "cr.selector" . }}
{{ include "cr.chartLabels" . }}
{{- end -}}

{{- define "cr.catchUpLabels" -}}
{{ include "cr.catchUpSelector" . }}
{{ include "cr.chartLabels" . }}
{{- end -}}

{{- define "cr.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{- .Values.image.repository -}}:{{- $tag -}}{{- with .Values.image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/* Restricted Pod Security, and a number because runAsNonRoot looks no names up. */}}
{{- define "cr.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "cr.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Nothing else than the pod's own identity: neither a profile in a file nor the role of the node. */}}
{{- define "cr.rrsaEnv" -}}
- name: ALIBABA_CLOUD_OIDC_TOKEN_FILE
  value: /var/run/secrets/ack.alibabacloud.com/rrsa-tokens/token
- name: ALIBABA_CLOUD_ROLE_SESSION_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: ALIBABA_CLOUD_CLI_PROFILE_DISABLED
  value: "true"
- name: ALIBABA_CLOUD_ECS_METADATA_DISABLED
  value: "true"
{{- end -}}

{{- define "cr.rrsaMount" -}}
- name: rrsa-token
  mountPath: /var/run/secrets/ack.alibabacloud.com/rrsa-tokens
  readOnly: true
{{- end -}}

{{- define "cr.rrsaVolume" -}}
- name: rrsa-token
  projected:
    sources:
      - serviceAccountToken:
          audience: sts.aliyuncs.com
          expirationSeconds: 3600
          path: token
{{- end -}}

{{- define "cr.env" -}}
{{- if eq .Values.credentials.source "rrsa" }}
{{ include "cr.rrsaEnv" . }}
{{- else if eq .Values.credentials.source "ecs-ram-role" }}
- name: ALIBABA_CLOUD_ECS_METADATA
  value: {{ .Values.credentials.ecsRamRole | quote }}
- name: ALIBABA_CLOUD_CLI_PROFILE_DISABLED
  value: "true"
{{- end }}
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What every pod may reach: names and HTTPS. */}}
{{- define "cr.egress" -}}
- ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
- ports:
    - {protocol: TCP, port: 443}
{{- if .Values.networkPolicy.internalEndpoints }}
- to:
    - ipBlock: {cidr: 0.0.0.0/0, except: [100.100.100.200/32]}
  ports:
    - {protocol: TCP, port: 80}
{{- end }}
{{- end -}}
