// SPDX-License-Identifier: MIT

// Command workload is what the testbed's pods run: a web server that answers with its name and version, and misbehaves on demand.
//
//	NAME, VERSION          what it answers with (VERSION is usually baked into the image)
//	PORT                   where it listens (8080)
//	MESSAGE                one more line of the answer
//	SHOW                   comma-separated names of variables whose values are part of the answer
//	CRASH=text             prints the text on stderr and ends with 1, CRASH_AFTER seconds (0) after the start
//	EAT_MEMORY=MiB         takes that much memory and keeps it
//	SLOW_START=seconds     listens only after that long
//	NOT_READY=true         /ready answers 503 for ever
//	UNHEALTHY_AFTER=seconds  /healthz answers 500 from then on
//	DRAIN=seconds          after SIGTERM answers on for that long, /ready with 503
//	EXIT=code              ends with the code at once after printing a line: what a Job runs (RUN_FOR seconds later)
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "get" {
		os.Exit(get(os.Args[2:]))
	}
	log("starting")
	if code := os.Getenv("EXIT"); code != "" {
		time.Sleep(seconds("RUN_FOR"))
		log("done, exit code " + code)
		os.Exit(number("EXIT"))
	}
	go crash()
	go eat()
	serve()
}

func crash() {
	text := os.Getenv("CRASH")
	if text == "" {
		return
	}
	time.Sleep(seconds("CRASH_AFTER"))
	fmt.Fprintln(os.Stderr, text)
	os.Exit(1)
}

// Kept in a package variable, and written to page by page: memory that is only reserved counts for nothing.
var eaten [][]byte

func eat() {
	for range number("EAT_MEMORY") {
		block := make([]byte, 1<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		eaten = append(eaten, block)
		time.Sleep(time.Millisecond)
	}
}

func serve() {
	started := time.Now()
	var draining atomic.Bool
	time.Sleep(seconds("SLOW_START"))
	mux := http.NewServeMux()
	mux.HandleFunc("/", answer)
	mux.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
		if draining.Load() || os.Getenv("NOT_READY") == "true" {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		if limit := seconds("UNHEALTHY_AFTER"); limit > 0 && time.Since(started) > limit {
			http.Error(w, "unhealthy", http.StatusInternalServerError)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	server := &http.Server{Addr: ":" + or(os.Getenv("PORT"), "8080"), Handler: mux}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	listener, err := net.Listen("tcp", server.Addr)
	if err != nil {
		log(err.Error())
		os.Exit(1)
	}
	log("listening on " + server.Addr)
	go server.Serve(listener)
	log("got " + (<-stop).String() + ", draining")
	draining.Store(true)
	time.Sleep(seconds("DRAIN"))
	limit, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	server.Shutdown(limit)
	log("stopped")
}

// answer tells who is answering; with ?get=URL it asks somebody else first, as one service of a shop asks another.
func answer(w http.ResponseWriter, r *http.Request) {
	host, _ := os.Hostname()
	said := map[string]any{"name": name(), "version": os.Getenv("VERSION"), "host": host}
	if message := os.Getenv("MESSAGE"); message != "" {
		said["message"] = message
	}
	for _, variable := range strings.FieldsFunc(os.Getenv("SHOW"), func(c rune) bool { return c == ',' || c == ' ' }) {
		said[variable] = os.Getenv(variable)
	}
	if url := r.URL.Query().Get("get"); url != "" {
		client := http.Client{Timeout: 5 * time.Second}
		if other, err := client.Get(os.ExpandEnv(url)); err != nil {
			said["error"] = err.Error()
		} else {
			defer other.Body.Close()
			body, _ := io.ReadAll(io.LimitReader(other.Body, 1<<20))
			said["got"] = strings.TrimSpace(string(body))
		}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(said)
}

// get fetches a URL and prints the body: the wget of an image without any other program.
func get(arguments []string) int {
	if len(arguments) != 1 {
		fmt.Fprintln(os.Stderr, "usage: workload get URL")
		return 2
	}
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get(arguments[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer response.Body.Close()
	io.Copy(os.Stdout, response.Body)
	if response.StatusCode >= 400 {
		return 1
	}
	return 0
}

func name() string { return or(os.Getenv("NAME"), "workload") }

func log(text string) { fmt.Printf("%s %s: %s\n", name(), os.Getenv("VERSION"), text) }

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

func number(variable string) int {
	value := os.Getenv(variable)
	if value == "" {
		return 0
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s=%s is not a number\n", variable, value)
		os.Exit(2)
	}
	return n
}

func seconds(variable string) time.Duration {
	value := os.Getenv(variable)
	if value == "" {
		return 0
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s=%s is not a number of seconds\n", variable, value)
		os.Exit(2)
	}
	return time.Duration(n * float64(time.Second))
}
