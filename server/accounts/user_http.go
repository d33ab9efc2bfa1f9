package accounts

import (
	"context"
	"time"

	"github.com/signalbox/signalbox/server/platform/api"
	"github.com/signalbox/signalbox/server/platform/identity"
)

type userRecordOut struct {
	userOut
	Disabled  bool      `json:"disabled"`
	Created   time.Time `json:"created_at"`
	LastLogin time.Time `json:"last_login_at,omitzero"`
}

func recordOf(u User) userRecordOut {
	return userRecordOut{userOut: outOf(u), Disabled: u.Disabled, Created: u.Created, LastLogin: u.LastLogin}
}

func (s *Service) userRoutes(r api.Router) {
	r.GET("/users", api.Admin(), api.Handle(s.handleUsers))
	r.POST("/users", api.Admin(), api.Handle(s.handleCreateUser))
	r.PATCH("/users/:id", api.Admin(), api.Handle(s.handleChangeUser))
	r.POST("/users/:id/reset-password", api.Admin(), api.Handle(s.handleResetPassword))
	r.PUT("/me/password", api.SignedIn(), api.Handle(s.handleChangePassword))
}

func (s *Service) handleUsers(ctx context.Context, _ api.Nothing) (list[userRecordOut], error) {
	users, err := s.Users(ctx)
	return listOf(users, recordOf), err
}

type createUserIn struct {
	Name     string        `json:"name"`
	Password string        `json:"password"`
	IsAdmin  bool          `json:"is_admin"`
	Team     string        `json:"team"`
	Role     identity.Role `json:"role"`
}

type createUserOut struct {
	userRecordOut
	// Password is there when it was generated, and shown this once.
	Password string `json:"password,omitempty"`
}

func (s *Service) handleCreateUser(ctx context.Context, in createUserIn) (api.Created[createUserOut], error) {
	u, generated, err := s.CreateUser(ctx, NewUser{Name: in.Name, Password: in.Password, Admin: in.IsAdmin, Team: in.Team, Role: in.Role})
	return api.Created[createUserOut]{Value: createUserOut{recordOf(u), generated}}, err
}

type changeUserIn struct {
	ID       int64 `uri:"id" json:"-"`
	Disabled *bool `json:"disabled"`
	IsAdmin  *bool `json:"is_admin"`
}

func (s *Service) handleChangeUser(ctx context.Context, in changeUserIn) (userRecordOut, error) {
	u, err := s.ChangeUser(ctx, in.ID, UserChange{Disabled: in.Disabled, IsAdmin: in.IsAdmin})
	return recordOf(u), err
}

type userIn struct {
	ID int64 `uri:"id" json:"-"`
}

type passwordOut struct {
	Password string `json:"password"`
}

func (s *Service) handleResetPassword(ctx context.Context, in userIn) (passwordOut, error) {
	password, err := s.ResetPassword(ctx, in.ID)
	return passwordOut{password}, err
}

type changePasswordIn struct {
	Current string `json:"current"`
	New     string `json:"new"`
}

func (s *Service) handleChangePassword(ctx context.Context, in changePasswordIn) (api.Nothing, error) {
	return api.Nothing{}, s.ChangePassword(ctx, in.Current, in.New)
}
