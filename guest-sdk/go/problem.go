package hotcell

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
)

// The kinds of problems that the specification names. A task may use any other URI reference for kinds of its own.
const (
	specification = "https://open-workflow-specification.org/spec/1.0.0/errors/"

	Configuration  = specification + "configuration"
	Validation     = specification + "validation"
	Expression     = specification + "expression"
	Authentication = specification + "authentication"
	Authorization  = specification + "authorization"
	Timeout        = specification + "timeout"
	Communication  = specification + "communication"
	Runtime        = specification + "runtime"
)

// Problem says why a task could not do its work: problem details (RFC 9457). It is an error; the workflow that calls the task can
// catch it by any of its members.
type Problem struct {
	// Type is a URI reference that identifies the kind of problem: one of the constants, or your own. Empty: Runtime.
	Type string
	// Status describes the problem best, an HTTP status where there is one. 0: 500.
	Status int
	// Title is a short summary that is the same for every problem of the kind.
	Title string
	// Detail says what happened this time, and what to do about it.
	Detail string
	// Extensions are any other members, which the workflow sees beside these.
	Extensions map[string]any
}

// Refuse is a problem with a status, a title, and a sentence that says what happened this time.
func Refuse(status int, title, detail string) *Problem {
	return &Problem{Status: status, Title: title, Detail: detail}
}

// Invalid is a problem of the kind Validation, status 400: data does not fit.
func Invalid(format string, values ...any) *Problem {
	return &Problem{Type: Validation, Status: 400, Detail: fmt.Sprintf(format, values...)}
}

// With adds a member of your own, and returns the problem.
func (problem *Problem) With(member string, value any) *Problem {
	if problem.Extensions == nil {
		problem.Extensions = map[string]any{}
	}
	problem.Extensions[member] = value
	return problem
}

// Error says the problem in a sentence.
func (problem *Problem) Error() string {
	title, status := problem.Title, problem.Status
	if title == "" {
		title = "Problem"
	}
	if status == 0 {
		status = 500
	}
	if problem.Detail == "" {
		return fmt.Sprintf("%s (%d)", title, status)
	}
	return fmt.Sprintf("%s (%d): %s", title, status, problem.Detail)
}

// MarshalJSON tells the problem as problem details.
func (problem *Problem) MarshalJSON() ([]byte, error) {
	members := map[string]any{}
	maps.Copy(members, problem.Extensions)
	members["type"], members["status"] = Runtime, 500
	if problem.Type != "" {
		members["type"] = problem.Type
	}
	if problem.Status != 0 {
		members["status"] = problem.Status
	}
	for name, text := range map[string]string{"title": problem.Title, "detail": problem.Detail} {
		delete(members, name)
		if text != "" {
			members[name] = text
		}
	}
	return json.Marshal(members)
}

// encode tells the problem, without its extensions if JSON cannot hold them.
func (problem *Problem) encode() []byte {
	text, err := json.Marshal(problem)
	if err != nil {
		bare := *problem
		bare.Extensions = map[string]any{"extensions": "these members cannot be told in JSON: " + err.Error()}
		text, _ = json.Marshal(&bare)
	}
	return text
}

// asProblem is the problem that an error is, or becomes.
func asProblem(err error) *Problem {
	var problem *Problem
	if errors.As(err, &problem) && problem != nil {
		return problem
	}
	return &Problem{Detail: err.Error()}
}
