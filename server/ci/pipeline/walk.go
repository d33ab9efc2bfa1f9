package pipeline

// Children lists the steps directly below s: the wrapped step first, then the
// hook, or the elements of a composite in order.
func Children(s StepConfig) []StepConfig {
	switch s := s.(type) {
	case *TryStep:
		return configs(s.Step)
	case *DoStep:
		return configs(s.Steps...)
	case *InParallelStep:
		return configs(s.Config.Steps...)
	case *OnSuccessStep:
		return withHook(s.Step, s.Hook)
	case *OnFailureStep:
		return withHook(s.Step, s.Hook)
	case *OnErrorStep:
		return withHook(s.Step, s.Hook)
	case *OnAbortStep:
		return withHook(s.Step, s.Hook)
	case *EnsureStep:
		return withHook(s.Step, s.Hook)
	case Modifier:
		return withHook(s.Inner(), Step{})
	}
	return nil
}

// Walk calls visit for s and everything below it, parents first, until visit
// returns an error, which Walk returns.
func Walk(s StepConfig, visit func(StepConfig) error) error {
	if s == nil {
		return nil
	}
	if err := visit(s); err != nil {
		return err
	}
	for _, child := range Children(s) {
		if err := Walk(child, visit); err != nil {
			return err
		}
	}
	return nil
}

func configs(steps ...Step) []StepConfig {
	list := make([]StepConfig, 0, len(steps))
	for _, s := range steps {
		if s.Config != nil {
			list = append(list, s.Config)
		}
	}
	return list
}

func withHook(inner StepConfig, hook Step) []StepConfig {
	var list []StepConfig
	if inner != nil {
		list = append(list, inner)
	}
	return append(list, configs(hook)...)
}

// collect gathers the steps of one type below root.
func collect[T StepConfig](root StepConfig) []T {
	var found []T
	// The visitor never fails, so neither does the walk.
	_ = Walk(root, func(s StepConfig) error {
		if match, ok := s.(T); ok {
			found = append(found, match)
		}
		return nil
	})
	return found
}
