package hotcell

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

type order struct {
	ID    string `json:"id"`
	Lines []struct {
		Quantity int `json:"quantity"`
	} `json:"lines"`
}

func pieces(order order) (int, error) {
	if len(order.Lines) == 0 {
		return 0, fmt.Errorf("priced nothing: %w", Refuse(422, "Order refused", "an order needs a line").With("order", order.ID))
	}
	sum := 0
	for _, line := range order.Lines {
		sum += line.Quantity
	}
	return sum, nil
}

func performed[In, Out any](t *testing.T, task func(In) (Out, error), input string) (string, int) {
	t.Helper()
	var output bytes.Buffer
	code := perform(task, strings.NewReader(input), &output)
	return output.String(), code
}

func TestTheInputIsDecodedAndTheOutputEncoded(t *testing.T) {
	output, code := performed(t, pieces, `{"id":"O-1","lines":[{"quantity":2},{"quantity":3}]}`)
	if output != "5" || code != 0 {
		t.Fatal(output, code)
	}
}

func TestAProblemIsTheOutputOfATaskThatFailsAlsoWhenItIsWrapped(t *testing.T) {
	output, code := performed(t, pieces, `{"id":"O-1"}`)
	expected := `{"detail":"an order needs a line","order":"O-1","status":422,"title":"Order refused","type":"` + Runtime + `"}`
	if output != expected || code != failed {
		t.Fatal(output, code)
	}
}

func TestAnInputThatDoesNotFitIsRefusedWithItsPath(t *testing.T) {
	output, code := performed(t, pieces, `{"lines":[{"quantity":"two"}]}`)
	if code != failed || !strings.Contains(output, "`lines.quantity`: expected int, found a JSON string") ||
		!strings.Contains(output, Validation) {
		t.Fatal(output, code)
	}
}

func TestAnyErrorBecomesAProblem(t *testing.T) {
	fail := func(any) (any, error) { return nil, errors.New("boom") }
	output, _ := performed(t, fail, `{}`)
	if output != `{"detail":"boom","status":500,"type":"`+Runtime+`"}` {
		t.Fatal(output)
	}
}

func TestWhatJSONDoesNotHaveIsAProblem(t *testing.T) {
	output, code := performed(t, func(any) (float64, error) { return math.NaN(), nil }, `{}`)
	if code != failed || !strings.Contains(output, "The output is not JSON") {
		t.Fatal(output, code)
	}
	fail := func(any) (any, error) { return nil, Invalid("no").With("ratio", math.Inf(1)) }
	if output, _ := performed(t, fail, `{}`); !strings.Contains(output, "cannot be told in JSON") {
		t.Fatal(output)
	}
}
