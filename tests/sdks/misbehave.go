// Does what it should not: `{"crime": "memory" | "spin" | "log"}`.
package main

import (
	"log"

	hotcell "github.com/hotcell/hotcell/guest-sdk/go"
)

type Plan struct {
	Crime string `json:"crime"`
}

var kept [][]byte

func main() { hotcell.Run(misbehave) }

func misbehave(plan Plan) (string, error) {
	for plan.Crime == "memory" {
		kept = append(kept, make([]byte, 1<<20))
	}
	for plan.Crime == "spin" {
	}
	for line := range 20_000 {
		log.Printf("line %d of a flood that nobody reads", line)
	}
	return plan.Crime, nil
}
