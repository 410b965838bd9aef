// Reads Kubernetes objects, YAML, from standard input, and takes each into the type that the API server would, strictly:
// a field that the type does not have is a fault.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

var types = map[string]func() any{
	"apps/v1 StatefulSet":                    func() any { return new(appsv1.StatefulSet) },
	"autoscaling/v2 HorizontalPodAutoscaler": func() any { return new(autoscalingv2.HorizontalPodAutoscaler) },
	"networking.k8s.io/v1 NetworkPolicy":     func() any { return new(networkingv1.NetworkPolicy) },
	"policy/v1 PodDisruptionBudget":          func() any { return new(policyv1.PodDisruptionBudget) },
	"v1 ConfigMap":                           func() any { return new(corev1.ConfigMap) },
	"v1 Service":                             func() any { return new(corev1.Service) },
	"v1 ServiceAccount":                      func() any { return new(corev1.ServiceAccount) },
}

// Of others, whose types are not those of Kubernetes.
var foreign = map[string]bool{"monitoring.coreos.com/v1 ServiceMonitor": true}

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		fail("%v", err)
	}
	read := 0
	for _, document := range bytes.Split(append([]byte("\n"), text...), []byte("\n---")) {
		var head struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
		}
		if err := yaml.Unmarshal(document, &head); err != nil {
			fail("%v in\n%s", err, document)
		}
		name := head.APIVersion + " " + head.Kind
		if name == " " || foreign[name] {
			continue
		}
		make, known := types[name]
		if !known {
			fail("%s: no type is known for it", name)
		}
		if err := yaml.UnmarshalStrict(document, make()); err != nil {
			fail("%s: %s", name, strings.TrimSpace(err.Error()))
		}
		read++
	}
	fmt.Println(read, "objects")
}

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", arguments...)
	os.Exit(1)
}
