// Promcheck holds what Concord tells Prometheus against Prometheus' own parsers.
//
//	promcheck PAGE DASHBOARD RULES
//
// PAGE is what /metrics printed, DASHBOARD a dashboard of Grafana, RULES a file of alerts. It fails where one of them
// can't be read, or where a query names a metric that is not on the page.
package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// What Prometheus itself adds.
var own = map[string]bool{"up": true}

func main() {
	if len(os.Args) != 4 {
		fail("promcheck PAGE DASHBOARD RULES")
	}
	known := metrics(os.Args[1])
	queries := append(dashboard(os.Args[2]), rules(os.Args[3])...)
	for _, query := range queries {
		check(query, known)
	}
	fmt.Printf("%d metrics, %d queries\n", len(known), len(queries))
}

func metrics(path string) map[string]bool {
	file, err := os.Open(path)
	hold(path, err)
	defer file.Close()
	read := expfmt.NewTextParser(model.UTF8Validation)
	families, err := read.TextToMetricFamilies(file)
	hold(path, err)
	known := map[string]bool{}
	for name, family := range families {
		known[name] = true
		if family.GetType().String() == "HISTOGRAM" {
			for _, suffix := range []string{"_bucket", "_count", "_sum"} {
				known[name+suffix] = true
			}
		}
	}
	return known
}

func dashboard(path string) []string {
	text, err := os.ReadFile(path)
	hold(path, err)
	var board struct {
		Panels []struct {
			Targets []struct{ Expr string }
		}
	}
	hold(path, json.Unmarshal(text, &board))
	var queries []string
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			// Grafana fills this in.
			queries = append(queries, strings.ReplaceAll(target.Expr, "$__rate_interval", "1m"))
		}
	}
	return queries
}

var promql = parser.NewParser(parser.Options{})

func rules(path string) []string {
	groups, errs := rulefmt.ParseFile(path, false, model.UTF8Validation, promql, slog.New(slog.DiscardHandler))
	for _, err := range errs {
		hold(path, err)
	}
	var queries []string
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			queries = append(queries, rule.Expr)
		}
	}
	return queries
}

func check(query string, known map[string]bool) {
	expr, err := promql.ParseExpr(query)
	hold(query, err)
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok && !known[selector.Name] && !own[selector.Name] {
			fail(fmt.Sprintf("no such metric: %s, in %s", selector.Name, query))
		}
		return nil
	})
}

func hold(what string, err error) {
	if err != nil {
		fail(fmt.Sprintf("%s: %v", what, err))
	}
}

func fail(why string) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}
