package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/signalbox/signalbox/server/platform/identity"
	"github.com/signalbox/signalbox/server/platform/problem"
)

// Class says what a call can do to the world; policies and approvals go by it.
type Class string

// The classes.
const (
	ReadOnly    Class = "read"        // changes nothing
	Write       Class = "write"       // changes something that can be changed back
	Destructive Class = "destructive" // loses something
)

// Tool is one thing a machine can do here.
type Tool struct {
	// Name is <capability>_<noun>_<verb>.
	Name string
	// Title is for people, Description for the model that chooses.
	Title, Description string
	// In and Out are JSON schemas.
	In, Out *Schema
	Class   Class
	// Scope is what the caller needs in the team that the input names as "team",
	// or in some team when it names none.
	Scope identity.Scope
	// Run does it. The input has been checked against In.
	Run func(ctx context.Context, in json.RawMessage) (any, error)
}

// Spec is what New cannot derive.
type Spec struct {
	Name, Title, Description string
	Class                    Class
	Level                    identity.Level
}

// New makes a tool of a typed function. In must be a struct; the scope's
// capability is the first word of the name. It panics on a type without a
// schema, which is a mistake in the program and shows at its first start.
func New[In, Out any](spec Spec, fn func(context.Context, In) (Out, error)) Tool {
	in, err := SchemaOf(reflect.TypeFor[In]())
	if err == nil && in.Type != "object" {
		err = fmt.Errorf("the input is no object")
	}
	if err != nil {
		panic(fmt.Sprintf("tool %s: %v", spec.Name, err))
	}
	out, err := SchemaOf(reflect.TypeFor[Out]())
	if err != nil {
		panic(fmt.Sprintf("tool %s: %v", spec.Name, err))
	}
	return Tool{
		Name: spec.Name, Title: spec.Title, Description: spec.Description, In: in, Out: out, Class: spec.Class,
		Scope: identity.Scope{Capability: capability(spec.Name), Level: spec.Level},
		Run: func(ctx context.Context, raw json.RawMessage) (any, error) {
			var in In
			if len(raw) > 0 {
				if err := json.Unmarshal(raw, &in); err != nil {
					return nil, problem.Wrap(err, problem.Invalid, "The tool's input does not fit: %s.", err)
				}
			}
			if v, ok := any(&in).(interface{ Validate() error }); ok {
				if err := v.Validate(); err != nil {
					return nil, err
				}
			}
			return fn(ctx, in)
		},
	}
}
