// SPDX-License-Identifier: MIT

// A service of the shop: it answers over HTTP with its version, its settings and what the services behind it say.
//
// The shop's five services run this one program under five names. What differs is in service.json, which is
// built into the image, and in the environment, which comes from the deployments repository.
//
//	app          serve on $PORT (8080) until SIGTERM
//	app check    the image's own test: start, ask for the page, compare, stop
//	app migrate  bring the database up to this version (a Job)
//	app digest   send the daily mail (a CronJob)
package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// Service is what the image brings along.
type Service struct {
	Greeting string   `json:"greeting"`
	Requires []string `json:"requires"` // environment variables without which this version cannot work
}

// Page is what a caller gets from "/".
type Page struct {
	Service    string            `json:"service"`
	Version    string            `json:"version"`
	Greeting   string            `json:"greeting"`
	Settings   map[string]string `json:"settings"`              // every SHOP_* variable
	PaymentKey string            `json:"payment_key,omitempty"` // a fingerprint, never the key
	Behind     map[string]string `json:"behind,omitempty"`      // the versions of the services behind this one
}

func main() {
	name := valueOf("SERVICE", "service")
	if err := run(name, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s %s: fatal: %v\n", name, version(), err)
		os.Exit(1)
	}
}

func run(name string, arguments []string) error {
	command := "serve"
	if len(arguments) > 0 {
		command = arguments[0]
	}
	service, err := read("/service.json")
	if err != nil {
		return err
	}
	switch command {
	case "serve":
		return serve(name, service)
	case "check":
		return check(name, service)
	case "migrate":
		fmt.Printf("%s %s: the database is at this version\n", name, version())
		return nil
	case "digest":
		fmt.Printf("%s %s: the daily mail is out\n", name, version())
		return nil
	}
	return fmt.Errorf("%q is no command; there are serve, check, migrate and digest", command)
}

func read(path string) (Service, error) {
	var service Service
	text, err := os.ReadFile(path)
	if err != nil {
		return service, err
	}
	if err := json.Unmarshal(text, &service); err != nil {
		return service, fmt.Errorf("%s: %w", path, err)
	}
	return service, nil
}

func serve(name string, service Service) error {
	fmt.Printf("%s %s: starting\n", name, version())
	for _, variable := range service.Requires {
		if os.Getenv(variable) == "" {
			return fmt.Errorf("%s is not set; this version cannot work without it", variable)
		}
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	server := &http.Server{Addr: ":" + valueOf("PORT", "8080"), Handler: handler(name, service)}
	go func() {
		<-stop.Done()
		patience, done := context.WithTimeout(context.Background(), 2*time.Second)
		defer done()
		_ = server.Shutdown(patience)
	}()
	fmt.Printf("%s %s: serving on %s\n", name, version(), server.Addr)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	fmt.Printf("%s %s: stopped\n", name, version())
	return nil
}

func handler(name string, service Service) http.Handler {
	pages := http.NewServeMux()
	pages.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	pages.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(page(name, service))
	})
	return pages
}

func page(name string, service Service) Page {
	settings := map[string]string{}
	for _, entry := range os.Environ() {
		if key, value, _ := strings.Cut(entry, "="); strings.HasPrefix(key, "SHOP_") {
			settings[strings.TrimPrefix(key, "SHOP_")] = value
		}
	}
	result := Page{Service: name, Version: version(), Greeting: service.Greeting, Settings: settings}
	if key := os.Getenv("PAYMENT_KEY"); key != "" {
		result.PaymentKey = fmt.Sprintf("%x", sha256.Sum256([]byte(key)))[:12]
	}
	for _, other := range strings.Fields(os.Getenv("BEHIND")) {
		if result.Behind == nil {
			result.Behind = map[string]string{}
		}
		result.Behind[other] = ask(other)
	}
	return result
}

// ask returns the version of another service of the namespace, found by the variables that Kubernetes sets for each Service.
func ask(other string) string {
	prefix := strings.ToUpper(strings.ReplaceAll(other, "-", "_")) + "_SERVICE_"
	address := net.JoinHostPort(os.Getenv(prefix+"HOST"), os.Getenv(prefix+"PORT"))
	var answer Page
	if err := get("http://"+address+"/", &answer); err != nil {
		return "no answer: " + err.Error()
	}
	return answer.Version
}

func get(url string, into *Page) error {
	client := http.Client{Timeout: time.Second}
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

func check(name string, service Service) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler(name, service)}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	var answer Page
	if err := get("http://"+listener.Addr().String()+"/", &answer); err != nil {
		return fmt.Errorf("the page does not come: %w", err)
	}
	if answer.Version != version() || answer.Greeting == "" {
		return fmt.Errorf("the page shows version %q and greeting %q", answer.Version, answer.Greeting)
	}
	fmt.Printf("%s %s: check passed: %q\n", name, version(), answer.Greeting)
	return nil
}

func version() string { return valueOf("VERSION", "dev") }

func valueOf(variable, fallback string) string {
	if value := os.Getenv(variable); value != "" {
		return value
	}
	return fallback
}
