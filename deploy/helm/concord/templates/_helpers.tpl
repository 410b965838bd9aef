{{- define "concord.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "concord.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "concord.labels" -}}
{{ include "concord.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "concord.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "concord.name" .) }}
{{- end }}

{{- define "concord.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{/* What can't be right is refused here, before a pod refuses it. */}}
{{- define "concord.check" -}}
{{- $v := .Values }}
{{- $mesh := ne $v.mesh.kind "none" }}
{{- if and (not $v.tls.secret) (not $mesh) }}
{{- fail "tls.secret or mesh.kind: one of them has to be set, or records would pass in clear" }}
{{- end }}
{{- if and $v.tls.secret $mesh }}
{{- fail "tls.secret: leave it empty where mesh.kind is set; the sidecar encrypts" }}
{{- end }}
{{- $auth := $v.settings.auth | default dict }}
{{- $known := or $auth.spiffe_trust_domains $auth.jwt_issuer }}
{{- if and (not $known) (not $v.anonymous) }}
{{- fail "settings.auth or anonymous: say who may call, by settings.auth.spiffe_trust_domains or settings.auth.jwt_issuer, or that something in front does" }}
{{- end }}
{{- if and $known $v.anonymous }}
{{- fail "anonymous: leave it false where settings.auth says who may call" }}
{{- end }}
{{- if and (eq $v.audit.store "sqlite") (or (gt (int $v.replicas) 1) $v.autoscaling.enabled) }}
{{- fail "audit.store: sqlite is the log of one process; set audit.store postgres for replicas above 1 or autoscaling.enabled" }}
{{- end }}
{{- if and (eq $v.audit.store "postgres") (not $v.audit.postgresSecret) }}
{{- fail "audit.postgresSecret: needed where audit.store is postgres" }}
{{- end }}
{{- if and (ne $v.audit.store "postgres") $v.audit.postgresSecret }}
{{- fail "audit.postgresSecret: set, and audit.store is not postgres: it would not be used" }}
{{- end }}
{{- if and (eq $v.audit.store "postgres") $v.networkPolicy.enabled (not $v.networkPolicy.egress) }}
{{- fail "networkPolicy.egress: empty, so that PostgreSQL could not be reached; name it there" }}
{{- end }}
{{- if and (ne $v.audit.store "none") (not $v.audit.masterKeySecret) }}
{{- fail "audit.masterKeySecret: needed; make one: kubectl create secret generic concord-keys --from-literal=master.key=\"$(openssl rand -base64 32)\"" }}
{{- end }}
{{- if and $v.rules.trustedKeys (not (or $v.rules.configMap $v.rules.overlayConfigMap)) }}
{{- fail "rules.trustedKeys: set, and neither rules.configMap nor rules.overlayConfigMap is: the package in the image is not signed" }}
{{- end }}
{{- if and $v.serviceMonitor.enabled (not $v.admin.enabled) }}
{{- fail "serviceMonitor.enabled: needs admin.enabled, where metrics are" }}
{{- end }}
{{- end }}

{{- define "concord.value" -}}
{{- if kindIs "float64" . }}{{ if eq (floor .) . }}{{ int64 . }}{{ else }}{{ . }}{{ end }}{{ else }}{{ toJson . }}{{ end }}
{{- end }}

{{/* concord.toml: what the chart knows, with `settings` laid over it. */}}
{{- define "concord.settings" -}}
{{- $v := .Values }}
{{- $server := dict "grpc_addr" (printf "0.0.0.0:%d" (int $v.server.port)) "drain_lead" (printf "%ds" (int $v.server.drainLeadSeconds)) "drain_deadline" (printf "%ds" (int $v.server.drainDeadlineSeconds)) }}
{{- if ne $v.mesh.kind "none" }}{{ $_ := set $server "allow_plaintext_off_loopback" true }}{{ end }}
{{- $audit := dict "store" $v.audit.store "dir" "/var/lib/concord/data" "retention_years" $v.audit.retentionYears }}
{{- if $v.audit.origin }}{{ $_ := set $audit "origin" $v.audit.origin }}{{ end }}
{{- if $v.audit.postgresPlaintext }}{{ $_ := set $audit "postgres_plaintext" true }}{{ end }}
{{- $all := dict "server" $server "audit" $audit "telemetry" (dict "log_format" "json") }}
{{- if $v.tls.secret }}
{{- $tls := dict "cert_file" "/etc/concord/tls/tls.crt" "key_file" "/etc/concord/tls/tls.key" "client_auth" $v.tls.clientAuth }}
{{- if ne $v.tls.clientAuth "none" }}{{ $_ := set $tls "client_ca_file" "/etc/concord/tls/ca.crt" }}{{ end }}
{{- $_ := set $all "tls" $tls }}
{{- end }}
{{- if $v.admin.enabled }}{{ $_ := set $all "admin" (dict "addr" (printf "0.0.0.0:%d" (int $v.admin.port))) }}{{ end }}
{{- if $v.anonymous }}{{ $_ := set $all "auth" (dict "allow_anonymous_off_loopback" true) }}{{ end }}
{{- $rules := dict }}
{{- if $v.rules.configMap }}{{ $_ := set $rules "dir" "/etc/concord/rules" }}{{ end }}
{{- if $v.rules.overlayConfigMap }}{{ $_ := set $rules "overlay" "/etc/concord/overlay" }}{{ end }}
{{- if $v.rules.trustedKeys }}
{{- $_ := set $rules "require_signature" true }}
{{- $_ := set $rules "trusted_keys" $v.rules.trustedKeys }}
{{- $_ := set $rules "state_file" "/var/lib/concord/data/rules.state" }}
{{- end }}
{{- if $rules }}{{ $_ := set $all "rules" $rules }}{{ end }}
{{- $all = mergeOverwrite $all (deepCopy $v.settings) }}
{{- range $section, $keys := $all }}
[{{ $section }}]
{{- range $key, $value := $keys }}
{{ $key }} = {{ include "concord.value" $value }}
{{- end }}
{{ end }}
{{- $v.settingsText }}
{{- end }}

{{- define "concord.probes" -}}
{{- if .Values.admin.enabled }}
startupProbe:
  httpGet: {path: /readyz, port: admin}
  periodSeconds: 1
  failureThreshold: 60
readinessProbe:
  httpGet: {path: /readyz, port: admin}
  periodSeconds: 5
  timeoutSeconds: 2
  failureThreshold: 2
livenessProbe:
  httpGet: {path: /livez, port: admin}
  periodSeconds: 10
  timeoutSeconds: 2
  failureThreshold: 3
{{- else if .Values.tls.secret }}
{{- fail "admin.enabled: needed with tls.secret, since the kubelet has no certificate to call gRPC with" }}
{{- else }}
startupProbe:
  grpc: {port: {{ .Values.server.port }}}
  periodSeconds: 1
  failureThreshold: 60
readinessProbe:
  grpc: {port: {{ .Values.server.port }}, service: concord.v1.DecisionService}
  periodSeconds: 5
  timeoutSeconds: 2
  failureThreshold: 2
livenessProbe:
  grpc: {port: {{ .Values.server.port }}, service: liveness}
  periodSeconds: 10
  timeoutSeconds: 2
  failureThreshold: 3
{{- end }}
{{- end }}
