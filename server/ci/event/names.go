package event

// One pair of methods per event: the word on the wire, and the version that fly 8.2 expects.

func (Status) Name() Name       { return NameStatus }
func (Status) Version() Version { return "1.0" }

func (Log) Name() Name       { return NameLog }
func (Log) Version() Version { return "5.1" }

func (Error) Name() Name       { return NameError }
func (Error) Version() Version { return "4.1" }

func (WaitingForWorker) Name() Name       { return NameWaitingForWorker }
func (WaitingForWorker) Version() Version { return "1.0" }

func (SelectedWorker) Name() Name       { return NameSelectedWorker }
func (SelectedWorker) Version() Version { return "1.0" }

func (StreamingVolume) Name() Name       { return NameStreamingVolume }
func (StreamingVolume) Version() Version { return "1.0" }

func (WaitingForStreamedVolume) Name() Name       { return NameWaitingForStreamedVolume }
func (WaitingForStreamedVolume) Version() Version { return "1.0" }

func (Initialize) Name() Name       { return NameInitialize }
func (Initialize) Version() Version { return "1.0" }

func (Start) Name() Name       { return NameStart }
func (Start) Version() Version { return "1.0" }

func (Finish) Name() Name       { return NameFinish }
func (Finish) Version() Version { return "1.0" }

func (InitializeTask) Name() Name       { return NameInitializeTask }
func (InitializeTask) Version() Version { return "4.0" }

func (StartTask) Name() Name       { return NameStartTask }
func (StartTask) Version() Version { return "5.0" }

func (FinishTask) Name() Name       { return NameFinishTask }
func (FinishTask) Version() Version { return "4.0" }

func (InitializeCheck) Name() Name       { return NameInitializeCheck }
func (InitializeCheck) Version() Version { return "1.0" }

func (InitializeGet) Name() Name       { return NameInitializeGet }
func (InitializeGet) Version() Version { return "2.0" }

func (StartGet) Name() Name       { return NameStartGet }
func (StartGet) Version() Version { return "1.0" }

func (FinishGet) Name() Name       { return NameFinishGet }
func (FinishGet) Version() Version { return "5.1" }

func (InitializePut) Name() Name       { return NameInitializePut }
func (InitializePut) Version() Version { return "2.0" }

func (StartPut) Name() Name       { return NameStartPut }
func (StartPut) Version() Version { return "1.0" }

func (FinishPut) Name() Name       { return NameFinishPut }
func (FinishPut) Version() Version { return "5.1" }

func (SetPipelineChanged) Name() Name       { return NameSetPipelineChanged }
func (SetPipelineChanged) Version() Version { return "1.0" }

func (ImageCheck) Name() Name       { return NameImageCheck }
func (ImageCheck) Version() Version { return "1.1" }

func (ImageGet) Name() Name       { return NameImageGet }
func (ImageGet) Version() Version { return "1.1" }

func (AcrossSubsteps) Name() Name       { return NameAcrossSubsteps }
func (AcrossSubsteps) Version() Version { return "1.0" }
