package issues

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/problem"
)

type viewRow struct {
	ID        int64 `gorm:"primaryKey"`
	TeamID    int64
	Name      string
	Query     string
	Sort      Sort
	Project   string
	CreatedBy string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
}

func (viewRow) TableName() string { return "issues_views" }

func (r viewRow) view() View {
	return View{r.ID, r.TeamID, r.Name, r.Query, r.Sort, r.Project, r.CreatedBy, api.Millis(r.CreatedAt)}
}

func (r rows) insertView(ctx context.Context, v View) (int64, error) {
	row := viewRow{0, v.Team, v.Name, v.Query, v.Sort, v.Project, v.CreatedBy, int64(v.CreatedAt)}
	err := r.db.Writer(ctx).Create(&row).Error
	if database.IsDuplicate(err) {
		return 0, problem.New(problem.Conflict, "The team has a saved search %s already. Choose another name.", v.Name)
	}
	return row.ID, err
}

// views are a team's by name.
func (r rows) views(ctx context.Context, team int64) ([]View, error) {
	var list []viewRow
	err := r.db.Reader(ctx).Where("team_id = ?", team).Order("name, id").Find(&list).Error
	out := make([]View, len(list))
	for i, v := range list {
		out[i] = v.view()
	}
	return out, err
}

func (r rows) view(ctx context.Context, id int64) (View, error) {
	var row viewRow
	if err := r.db.Reader(ctx).Where("id = ?", id).Take(&row).Error; err != nil {
		return View{}, database.NotFound(err, "There is no such saved search.")
	}
	return row.view(), nil
}

func (r rows) removeView(ctx context.Context, id int64) error {
	return r.db.Writer(ctx).Where("id = ?", id).Delete(&viewRow{}).Error
}
