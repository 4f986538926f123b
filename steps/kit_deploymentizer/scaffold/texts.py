# SPDX-License-Identifier: MIT
"""What new files say. Pure: from names to text."""

import json
from typing import Final

from kit_core.yamlwords import kubernetes_words
from kit_deploymentizer.inputs.words import original_words

KIT: Final = """\
# Where kit finds everything. Paths begin at this folder.
version: '2'
base: {path: .}
images: {path: ./images, property: image}
type: {path: ./type}
cluster: {path: ./clusters}
resources: {path: ./resources}
output: {path: ./generated}
"""
BASE_CLUSTER: Final = """\
# What runs in every cluster. A cluster's own cluster.yaml changes or disables single entries.
kind: ClusterNamespace
metadata:
  name: base
  branch: main # clusters take images/<image_tag>/main.yaml
resources: {}
"""
BASE_SETTINGS: Final = """\
# Settings that every template sees, such as `domain: example.com`, which a template prints with {{ domain }}.
# type/<type>-var.yaml overrides them for a kind of cluster, clusters/<folder>/configuration-var.yaml for one.
kind: ResourceConfig
"""
IGNORED: Final = """\
# Rendered anew by each pipeline run.
/generated/
# Access to clusters and keys are not for git in plain text.
kubeconfig.yaml
*.aes
*.env
"""
SERVICE_TEMPLATE: Final = """\
{# The Service of every resource that has `svc`. #}
apiVersion: v1
kind: Service
metadata:
  name: {{ svc.name | quote }}
  labels:
    name: {{ svc.name | quote }}
spec:
  selector:
    name: {{ name | quote }}
  ports:
    - {name: http, port: 80, targetPort: http}
"""
_DEPLOYMENT: Final = """\
{# The Deployment of @NAME@. `kit-deploymentizer explain CLUSTER @NAME@` lists all that this template sees. #}
{% set app = view["@NAME@"] %}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: @QUOTED@
  labels:
    name: @QUOTED@ # kit-deployer asks for it
spec:
  replicas: {{ app.replicas }}
  selector:
    matchLabels:
      name: @QUOTED@
  template:
    metadata:
      labels:
        name: @QUOTED@
    spec:
      containers:
        - name: @QUOTED@
          image: {{ app.image }}
{% if app.env %}
          env:
{% for entry in app.env %}
            - {name: {{ entry.name | quote }}, value: {{ entry.value | quote }}}
{% endfor %}
{% endif %}
          ports:
            - {name: http, containerPort: {{ app.port }}}
          readinessProbe:
            tcpSocket: {port: http} # better an httpGet, where the service has something to answer
"""
_RESOURCE: Final = """\
@QUOTED@:
  file: ./@NAME@/@NAME@-deployment.yaml.j2
  image_tag: @TAG@ # its image stands in images/@BARE@/<branch>.yaml
  svc:
    name: @QUOTED@
  replicas: 1
  port: 8080
  env: [] # such as {name: LOG_LEVEL, value: info}; `external: true` takes a value from the pipeline's environment
"""


def settings_of_type(name: str) -> str:
    """A type's file."""
    return f"""\
# Settings of the clusters of type {name}; they override base-var.yaml.
kind: ResourceConfig
metadata:
  type: {quoted(name)}
"""


def cluster(name: str, kind: str, branch: str | None) -> str:
    """A cluster's definition; `branch` where the base names none."""
    taken = f"  branch: {quoted(branch)}\n" if branch else ""
    return f"""\
# One namespace of one cluster. Everything in base-cluster.yaml goes to it.
kind: ClusterNamespace
metadata:
  name: {quoted(name)}
  type: {quoted(kind)}
{taken}# What differs here, such as `web: {{replicas: 3}}` or `web: {{disable: true}}`.
resources: {{}}
"""


def image(key: str, reference: str) -> str:
    """An image file."""
    return f"# kit-image-deployer writes here, in the pipeline of the service.\n{quoted(key)}: {quoted(reference)}\n"


def deployment(name: str) -> str:
    """The template of a service's Deployment."""
    return _DEPLOYMENT.replace("@NAME@", name).replace("@QUOTED@", quoted(name))


def resource(name: str, image_tag: str) -> str:
    """A service's entry in base-cluster.yaml, indented by nothing."""
    text = _RESOURCE.replace("@NAME@", name).replace("@QUOTED@", quoted(name))
    return text.replace("@TAG@", quoted(image_tag)).replace("@BARE@", image_tag)


def quoted(text: str) -> str:
    """A string in YAML: as it is where each reader takes it for a string, else in quotes."""
    plain = text[:1].isalpha() and original_words(text) == text and kubernetes_words(text) == text
    return text if plain else json.dumps(text, ensure_ascii=False)
