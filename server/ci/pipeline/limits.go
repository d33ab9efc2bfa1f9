package pipeline

import (
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// ContainerLimits bound a container; a nil field is no limit.
type ContainerLimits struct {
	CPU    *CPULimit    `json:"cpu,omitempty"`
	Memory *MemoryLimit `json:"memory,omitempty"`
}

// CPULimit is a weight in CPU shares (1024 is one share of the default size).
type CPULimit uint64

// MemoryLimit is a number of bytes.
type MemoryLimit uint64

var memoryPattern = regexp.MustCompile(`(?i)^([0-9]+)(?:([KMG])i?B?)?$`)

// UnmarshalJSON accepts a number.
func (c *CPULimit) UnmarshalJSON(data []byte) error {
	var number float64
	if err := json.Unmarshal(data, &number); err != nil || number < 0 || number > math.MaxInt64 {
		return errors.New("cpu limit must be an integer")
	}
	*c = CPULimit(number)
	return nil
}

// UnmarshalJSON accepts bytes as a number or text such as "1GB".
func (m *MemoryLimit) UnmarshalJSON(data []byte) error {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	switch v := value.(type) {
	case float64:
		if v < 0 || v > math.MaxInt64 {
			return errMemory
		}
		*m = MemoryLimit(v)
	case string:
		limit, err := ParseMemory(v)
		*m = limit
		return err
	default:
		return errMemory
	}
	return nil
}

var errMemory = errors.New("could not parse container memory limit")

// ParseMemory reads "512", "64k", "1GB" or "1GiB". KB and KiB both mean 1024
// bytes, as in Concourse.
func ParseMemory(text string) (MemoryLimit, error) {
	parts := memoryPattern.FindStringSubmatch(text)
	if parts == nil {
		return 0, errMemory
	}
	number, err := strconv.ParseUint(parts[1], 10, 63)
	if err != nil {
		return 0, errMemory
	}
	shift := map[string]uint{"": 0, "K": 10, "M": 20, "G": 30}[strings.ToUpper(parts[2])]
	if number > math.MaxInt64>>shift {
		return 0, errMemory
	}
	return MemoryLimit(number << shift), nil
}
