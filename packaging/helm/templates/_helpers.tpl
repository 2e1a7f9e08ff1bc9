{{/* Names, labels and what is worked out from the values. */}}

{{- define "exporter.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | regexFind "^.*[^-]" -}}
{{- end }}

{{/* At most 52 letters: Kubernetes puts a hash behind the name of a StatefulSet and wants 63 at most. A Service begins with a
     letter and has no dots. A name that is changed for that keeps apart from others by a hash of the whole. */}}
{{- define "exporter.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := .Values.fullnameOverride -}}
{{- if not $full -}}
{{- $full = ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- end -}}
{{- $fit := regexReplaceAll "^([0-9])" (regexReplaceAll "[^a-z0-9-]" $full "-") "r${1}" -}}
{{- if or (ne $fit $full) (gt (len $fit) 52) -}}
{{- $fit = printf "%s-%s" ($fit | trunc 43 | trimSuffix "-") (sha256sum $full | trunc 8) -}}
{{- end -}}
{{- $fit -}}
{{- end }}

{{- define "exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "exporter.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "exporter.labels" -}}
{{ include "exporter.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end }}

{{/* Those of the chart and some more, where those of the chart win: list of the root and the others. */}}
{{- define "exporter.labelsWith" -}}
{{- mergeOverwrite (deepCopy (index . 1 | default dict)) (include "exporter.labels" (index . 0) | fromYaml) | toYaml -}}
{{- end }}

{{- define "exporter.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end -}}
{{- end -}}
{{- end }}

{{/* Of the first address that the configuration listens on. */}}
{{- define "exporter.port" -}}
{{- $address := dig "web" "listenAddresses" (list ":10202") .Values.config | first -}}
{{- if regexMatch "^(?i)(127\\.|localhost:|\\[::1\\])" $address -}}
{{- fail (printf "config.web.listenAddresses: %s is reached from inside of the pod only; expected :PORT" $address) -}}
{{- end -}}
{{- regexFind "[0-9]+$" $address -}}
{{- end }}

{{/* More ports, each with a name and a number of its own: Kubernetes would refuse others, in words of its own. */}}
{{- define "exporter.extraPorts" -}}
{{- $ports := list (include "exporter.port" . | int) (int .Values.service.port) -}}
{{- $names := list -}}
{{- range .Values.extraPorts -}}
{{- if or (has .name $names) (has (int .port) $ports) -}}
{{- fail (printf "extraPorts: %s, port %d: the name or the number is taken by another port" .name (int .port)) -}}
{{- end -}}
{{- $ports = append $ports (int .port) -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- end }}

{{/* The configuration of one replica: the first one probes, as far as the values want it. */}}
{{- define "exporter.config" -}}
{{- $config := deepCopy .root.Values.config -}}
{{- if and (gt (int .ordinal) 0) (not .root.Values.probeFromEveryReplica) -}}
{{- $config = mergeOverwrite $config (dict "probe" (dict "enabled" false)) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end }}

{{- define "exporter.externalUrl" -}}
{{- dig "web" "externalUrl" "http://localhost:10202" .Values.config | trimSuffix "/" -}}
{{- end }}

{{/* How the kubelet asks whether it is alive: not whether it is ready, for a source that cannot be read is no reason to start
     again, and Prometheus must see it. A web configuration may want a certificate or a password: the socket in the state folder
     does not. */}}
{{- define "exporter.alive" -}}
{{- if dig "web" "configFile" "" .Values.config -}}
exec:
  command: [/usr/bin/node, /usr/share/send-connector-exporter/healthy.mjs]
{{- else -}}
httpGet:
  path: /-/healthy
  port: metrics
{{- end }}
{{- end }}
