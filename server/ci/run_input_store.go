package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/ci/pipeline"
)

type runInputRow struct {
	BuildID  int64  `gorm:"primaryKey"`
	Name     string `gorm:"primaryKey"`
	Ordering int64
	Type     pipeline.InputType
	Value    string
	Sealed   []byte
}

func (runInputRow) TableName() string { return runInputTable }

func (s store) insertRunInput(ctx context.Context, r runInputRow) error {
	return s.db.Writer(ctx).Create(&r).Error
}

// runInputs are those of a build in the order of the form.
func (s store) runInputs(ctx context.Context, build int64) ([]runInputRow, error) {
	var rows []runInputRow
	err := s.db.Reader(ctx).Where("build_id = ?", build).Order("ordering").Find(&rows).Error
	return rows, err
}
