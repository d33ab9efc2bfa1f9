package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/signalbox/signalbox/server/ci/event"
	"github.com/signalbox/signalbox/server/ci/pipeline"
	"github.com/signalbox/signalbox/server/ci/plan"
	"github.com/signalbox/signalbox/server/ci/resource"
)

// resourceCall is what every call of a resource type needs.
type resourceCall struct {
	kind    resource.Type
	image   fetchedImage
	program string // for keys, see kindOfType
	source  map[string]any
	params  map[string]any
	// scripted: the type is an image, so all it does it does in its container.
	scripted   bool
	privileged bool
}

// prepare replaces the vars and finds the program of a resource type.
func (l *leaf) prepare(ctx context.Context, typeName string, source pipeline.Source, params pipeline.Params, image plan.TypeImage) (resourceCall, error) {
	var c resourceCall
	var err error
	if c.source, err = l.at.scope.object(ctx, source); err != nil {
		return c, err
	}
	if c.params, err = l.at.scope.object(ctx, params); err != nil {
		return c, err
	}
	if c.image, err = l.typeImage(ctx, image, l.at); err != nil {
		return c, err
	}
	if image.BaseType == "" {
		image.BaseType = typeName // plans of other makers may leave it out
	}
	c.program = kindOfType(image.BaseType, c.image)
	if image.Get != nil {
		c.kind, c.scripted = l.Scripted, true
		c.privileged = image.Privileged && l.PrivilegedAllowed(ctx, l.build)
		return c, nil
	}
	native, ok := l.Native(image.BaseType)
	if !ok {
		return c, fmt.Errorf("unknown resource type '%s': it is neither one of the server's own nor in the pipeline's resource_types", image.BaseType)
	}
	c.kind = native
	return c, nil
}

func (l *leaf) request(c resourceCall, log io.Writer, createdBy bool) resource.Request {
	return resource.Request{
		Executor:   l.Executor,
		Container:  l.row.Container,
		Image:      c.image.Image,
		Source:     c.source,
		Params:     c.params,
		Env:        l.metadataEnv(l.at, createdBy),
		Log:        log,
		Privileged: c.privileged,
	}
}

func (l *leaf) keepResult(result stepResult, status int) error {
	data, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("encode the result of step %s: %w", l.row.PlanID, err)
	}
	l.row.Result, l.row.ExitStatus = data, &status
	return nil
}

func readResult(row StepRecord) (stepResult, error) {
	var result stepResult
	if err := json.Unmarshal(row.Result, &result); err != nil {
		return result, fmt.Errorf("read the result of step %s: %w", row.PlanID, err)
	}
	return result, nil
}

// resourceFailed sorts the errors of a resource type: its script failed, time was up,
// or something else is wrong.
func (l *leaf) resourceFailed(ctx context.Context, err error, finish func(status int) event.Event) (bool, error) {
	if reason := l.why(ctx); reason != nil {
		if errors.Is(reason, errTimeout) {
			return l.timedOut()
		}
		return false, reason
	}
	var exit *resource.ExitError
	if !errors.As(err, &exit) {
		return false, err
	}
	l.flush()
	l.emit(finish(exit.Status))
	l.row.ExitStatus = &exit.Status
	return false, nil
}

// timedOut makes a step failed that took too long.
func (l *leaf) timedOut() (bool, error) {
	l.flush()
	l.emitError(l.row.PlanID, errTimeout.Error())
	l.row.Message = errTimeout.Error()
	return false, nil
}

func eventFields(fields []resource.Field) []event.Field {
	if fields == nil {
		return nil
	}
	list := make([]event.Field, len(fields))
	for i, f := range fields {
		list[i] = event.Field(f)
	}
	return list
}
