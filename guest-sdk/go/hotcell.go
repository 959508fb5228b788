// Package hotcell makes tasks of Go programs: a task is a function on values that encoding/json knows.
//
//	func main() { hotcell.Run(price) }
//
//	func price(order Order) (Receipt, error) {
//		if len(order.Lines) == 0 {
//			return Receipt{}, hotcell.Refuse(422, "Order refused", "an order needs at least one line")
//		}
//		…
//	}
//
// Built with GOOS=wasip1 GOARCH=wasm, the program is a WASI command: hotcell runs it in a fresh cell for every call, gives it the
// input on standard input, and takes the output, or the problem, from standard output and the exit code.
//
// What goes to standard error is logged: log and log/slog write there already. Standard output belongs to the output; what a
// task prints with fmt.Println is led to standard error, while Run runs.
//
// The function stays a function, so that go test calls it on your machine.
package hotcell

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
)

// failed is the exit code of a task that returned an error.
const failed = 1

// Run performs the task and ends the program. It belongs into main, alone.
//
// The input is decoded as In; one that does not fit is a problem of the kind Validation, status 400, that names the member, and the
// task is not called. An error that is a *Problem, or wraps one, is the problem that the workflow sees; any other error becomes one
// with status 500.
func Run[In, Out any](task func(In) (Out, error)) {
	output := os.Stdout
	// The task's own words must not get into its output.
	os.Stdout = os.Stderr
	// Log lines are events, which know their time.
	log.SetFlags(0)
	os.Exit(perform(task, os.Stdin, output))
}

// perform does everything but ending the program, and returns its exit code.
func perform[In, Out any](task func(In) (Out, error), input io.Reader, output io.Writer) int {
	answer, err := answer(task, input)
	code := 0
	if err != nil {
		answer, code = asProblem(err).encode(), failed
	}
	if _, err := output.Write(answer); err != nil {
		fmt.Fprintln(os.Stderr, "the output could not be written:", err)
		return failed
	}
	return code
}

func answer[In, Out any](task func(In) (Out, error), input io.Reader) ([]byte, error) {
	text, err := io.ReadAll(input)
	if err != nil {
		return nil, fmt.Errorf("the input could not be read: %w", err)
	}
	var in In
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, misfit(err)
	}
	out, err := task(in)
	if err != nil {
		return nil, err
	}
	answer, err := json.Marshal(out)
	if err != nil {
		return nil, &Problem{Title: "The output is not JSON", Detail: err.Error()}
	}
	return answer, nil
}

// misfit is the problem of an input that does not fit the task's type.
func misfit(err error) *Problem {
	detail := err.Error()
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		detail = fmt.Sprintf("expected %s, found a JSON %s", wrong.Type, wrong.Value)
		if wrong.Field != "" {
			detail = fmt.Sprintf("`%s`: %s", wrong.Field, detail)
		}
	}
	return &Problem{Type: Validation, Status: 400, Title: "The input does not fit the task", Detail: detail}
}
