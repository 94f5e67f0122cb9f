{{/* Values that are right by themselves, as the schema has them, and cannot work together. Nothing is installed with them. */}}
{{- define "cr.refuseContradictions" -}}
{{- $source := .Values.credentials.source -}}
{{- with .Values.autoscaling -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- fail (printf "autoscaling.minReplicas is %d, which is more than autoscaling.maxReplicas, %d" (int .minReplicas) (int .maxReplicas)) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.credentials.rrsa.roleArn (ne $source "rrsa") -}}
{{- fail (printf "credentials.rrsa.roleArn is set, but credentials.source is %s: nobody would use that role" $source) -}}
{{- end -}}
{{- if and .Values.credentials.ecsRamRole (ne $source "ecs-ram-role") -}}
{{- fail (printf "credentials.ecsRamRole is set, but credentials.source is %s: nobody would use that role" $source) -}}
{{- end -}}
{{- if ne $source "environment" -}}
{{- range .Values.env -}}
{{- if regexMatch "^ALIBABA_CLOUD_(ACCESS_KEY|SECURITY_TOKEN|ROLE_|OIDC_|ECS_METADATA|CREDENTIALS_|CLI_PROFILE)" .name -}}
{{- fail (printf "env sets %s, but credentials.source is %s: use one of them, or credentials.source environment" .name $source) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $grace := regexFind "(?m)^\\s*shutdown_grace_seconds\\s*=\\s*[0-9]+" .Values.config | regexFind "[0-9]+$" -}}
{{- $where := "config" -}}
{{- $names := list -}}
{{- range .Values.env -}}
{{- if has .name $names -}}
{{- fail (printf "env sets %s twice" .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- if has .name (list "REMEDIATOR__HTTP__PORT" "REMEDIATOR__HTTP__HOST" "REMEDIATOR__HTTP__ENABLED") -}}
{{- fail (printf "env sets %s, but probes and scrapes ask port 9108 of the pod: leave it out" .name) -}}
{{- end -}}
{{- if and (eq .name "REMEDIATOR__ENGINE__SHUTDOWN_GRACE_SECONDS") (regexMatch "^[0-9]+$" (default "" .value)) -}}
{{- $grace = .value -}}
{{- $where = "env" -}}
{{- end -}}
{{- end -}}
{{- if and $grace (lt (int .Values.terminationGracePeriodSeconds) (add 20 (atoi $grace))) -}}
{{- fail (printf "terminationGracePeriodSeconds is %d; with engine.shutdown_grace_seconds = %s in %s it has to be %d at least" (int .Values.terminationGracePeriodSeconds) $grace $where (add 20 (atoi $grace))) -}}
{{- end -}}
{{- $port := regexFind "(?m)^\\[http\\]\\s*(#.*)?\\n(([^\\[\\n].*)?\\n)*?\\s*port\\s*=\\s*[0-9]+" .Values.config | regexFind "[0-9]+$" -}}
{{- if and $port (ne $port "9108") -}}
{{- fail (printf "http.port = %s in config, but probes and scrapes ask port 9108: leave it out" $port) -}}
{{- end -}}
{{- if regexMatch "(?m)^\\[http\\]\\s*(#.*)?\\n(([^\\[\\n].*)?\\n)*?\\s*enabled\\s*=\\s*false" .Values.config -}}
{{- fail "http.enabled = false in config, but probes and scrapes ask port 9108: leave it out" -}}
{{- end -}}
{{- $queue := regexFind "(?m)^\\[queue\\][^\\n]*\\n(([^\\[\\n].*)?\\n)*" .Values.config -}}
{{- $plain := and (regexMatch "(?m)^\\s*internal\\s*=\\s*true" $queue) (not (regexMatch "(?m)^\\s*endpoint\\s*=\\s*[\"']." $queue)) -}}
{{- if and $plain .Values.networkPolicy.enabled (not .Values.networkPolicy.internalEndpoints) -}}
{{- fail "queue.internal = true in config is plain http, which networkPolicy lets nobody send: set networkPolicy.internalEndpoints" -}}
{{- end -}}
{{- $volumes := list -}}
{{- range .Values.volumes -}}
{{- if has .name (list "config" "switch" "tmp" "rrsa-token") -}}
{{- fail (printf "volumes has %s, which is a volume of the chart: choose another name" .name) -}}
{{- end -}}
{{- $volumes = append $volumes .name -}}
{{- end -}}
{{- range .Values.volumeMounts -}}
{{- if not (has .name $volumes) -}}
{{- fail (printf "volumeMounts names %s, which volumes lacks" .name) -}}
{{- end -}}
{{- end -}}
{{- if regexMatch "-(catch-up|dashboards|identity|switch)$" (include "cr.name" .) -}}
{{- fail (printf "the release %s would have names of another release's parts: choose one that does not end so" .Release.Name) -}}
{{- end -}}
{{- end -}}
