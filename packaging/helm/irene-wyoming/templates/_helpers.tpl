{{- define "irene.name" -}}
{{- printf "%s-irene" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "irene.labels" -}}
app.kubernetes.io/name: irene-wyoming
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "irene.selector" -}}
app.kubernetes.io/name: irene-wyoming
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "irene.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "irene.tokenSecret" -}}
{{- if .Values.token.existingSecret -}}{{ .Values.token.existingSecret }}
{{- else if .Values.token.value -}}{{ include "irene.name" . }}-token
{{- end -}}
{{- end }}

{{- define "irene.modelsClaim" -}}
{{ .Values.models.existingClaim | default (printf "%s-models" (include "irene.name" .)) }}
{{- end }}

{{- /* Changes with the models, so that another list is another job: jobs cannot be changed. */ -}}
{{- define "irene.modelsMark" -}}
{{ .Values.models.names | toJson | sha256sum | trunc 10 }}
{{- end }}

{{- define "irene.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
runAsUser: 999
runAsGroup: 999
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}
