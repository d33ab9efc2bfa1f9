package protocol

import "slices"

// State is what an agent is doing with its bundle.
type State string

// The states, in the order of a run that goes well; the last five are ends.
const (
	// StateIdle: there is nothing to do.
	StateIdle State = "idle"
	// StateStaging: blobs are being fetched.
	StateStaging State = "staging"
	// StateStaged: all blobs are there; the window has not come.
	StateStaged State = "staged"
	// StateVerifying: every byte is read once more, before anything is touched.
	StateVerifying State = "verifying"
	// StateDeferred: it could not be done now; it is tried again.
	StateDeferred State = "deferred"
	// StateInstalling: the package manager is at work.
	StateInstalling State = "installing"
	// StateHealthChecking: installed; the checks decide whether it stays.
	StateHealthChecking State = "health-checking"
	// StateRollingBack: what was before is being restored.
	StateRollingBack State = "rolling-back"
	// StateSucceeded: installed and healthy.
	StateSucceeded State = "succeeded"
	// StateRolledBack: what was before is there again.
	StateRolledBack State = "rolled-back"
	// StateFailed: neither; somebody must look.
	StateFailed State = "failed"
	// StateQuarantined: this bundle is not touched again, until the portal lets it go or a newer one comes.
	StateQuarantined State = "quarantined"
)

// States lists all of them.
func States() []State {
	return []State{StateIdle, StateStaging, StateStaged, StateVerifying, StateDeferred, StateInstalling, StateHealthChecking,
		StateRollingBack, StateSucceeded, StateRolledBack, StateFailed, StateQuarantined}
}

// Valid tells whether s is one of the states.
func (s State) Valid() bool { return slices.Contains(States(), s) }

// Final tells whether nothing more happens by itself.
func (s State) Final() bool {
	return s == StateSucceeded || s == StateRolledBack || s == StateFailed || s == StateQuarantined
}

// Touching tells whether the machine's packages are being changed or judged, so
// that silence from now on is a bad sign.
func (s State) Touching() bool {
	return s == StateInstalling || s == StateHealthChecking || s == StateRollingBack
}

// Exit is how a run of the agent ended. The numbers are a contract with scripts.
type Exit int

// The codes.
const (
	// ExitOK: succeeded or nothing to do.
	ExitOK Exit = 0
	// ExitInternal: an internal error; nothing was changed.
	ExitInternal Exit = 1
	// ExitIntegrity: a complete blob has the wrong hash, after retries. A short file is only staging.
	ExitIntegrity Exit = 2
	// ExitAuthenticity: signature, key, threshold, revoked or expired key.
	ExitAuthenticity Exit = 3
	// ExitDeferred: not staged, outside the window, freeze, lock held, no battery.
	ExitDeferred Exit = 4
	// ExitInstallFailed: the install failed; the state before is restored.
	ExitInstallFailed Exit = 5
	// ExitHealthFailed: a health check failed; rolled back.
	ExitHealthFailed Exit = 6
	// ExitRollbackFailed: the rollback failed; it needs hands.
	ExitRollbackFailed Exit = 7
	// ExitPreflight: refused before anything was touched: disk, held package, broken dpkg, plan exceeds what is allowed.
	ExitPreflight Exit = 8
	// ExitFreshness: refused: old version, expired, wrong variant or node.
	ExitFreshness Exit = 9
	// ExitBusy: another run is active.
	ExitBusy Exit = 10
	// ExitQuarantined: this bundle is in quarantine.
	ExitQuarantined Exit = 11
	// ExitReboot: a reboot is needed to finish.
	ExitReboot Exit = 12
)

var exitTexts = map[Exit]string{
	ExitOK: "succeeded", ExitInternal: "internal error, nothing changed", ExitIntegrity: "wrong content", ExitAuthenticity: "signature refused",
	ExitDeferred: "deferred", ExitInstallFailed: "install failed, restored", ExitHealthFailed: "unhealthy, rolled back",
	ExitRollbackFailed: "rollback failed", ExitPreflight: "refused before touching anything", ExitFreshness: "too old, expired or not for this node",
	ExitBusy: "another run is active", ExitQuarantined: "in quarantine", ExitReboot: "needs a reboot to finish",
}

// String is the code in words.
func (e Exit) String() string {
	if text, known := exitTexts[e]; known {
		return text
	}
	return "unknown exit code"
}

// Valid tells whether e is one of the codes.
func (e Exit) Valid() bool { _, known := exitTexts[e]; return known }

// NodeState is what the portal thinks of a node's identity.
type NodeState string

// The states of an identity.
const (
	// NodePending: enrolled; a person has not accepted it yet. It may check in and gets nothing.
	NodePending NodeState = "pending"
	// NodeAccepted: it takes part.
	NodeAccepted NodeState = "accepted"
	// NodeRejected: a person said no.
	NodeRejected NodeState = "rejected"
	// NodeRevoked: its key is not trusted any more.
	NodeRevoked NodeState = "revoked"
)
