package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox/signalbox/server/accounts"
	"github.com/signalbox/signalbox/server/platform/database"
	"github.com/signalbox/signalbox/server/platform/identity"
)

// withAccounts opens the data folder for one command; a server may be running on it.
func (c *cli) withAccounts(ctx context.Context, fn func(*accounts.Service) error) error {
	return c.withDatabase(ctx, func(db *database.DB) error {
		if _, err := c.migrate(ctx, db); err != nil {
			return err
		}
		s, err := accounts.New(accounts.Deps{DB: db, Now: now, Log: discardLog(), Version: Version})
		if err != nil {
			return err
		}
		return errors.Join(fn(s), s.Close(ctx))
	})
}

func (c *cli) table(head string, rows func(w *tabwriter.Writer)) error {
	w := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, head)
	rows(w)
	return w.Flush()
}

func date(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04")
}

func (c *cli) userCommand() *cobra.Command {
	user := &cobra.Command{Use: "user", Short: "Create, list, disable or reset users"}
	var n accounts.NewUser
	var role string
	create := &cobra.Command{
		Use: "create", Short: "Create a user; without --password one is generated and printed", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if n.Name == "" {
				return errUsage{errors.New("user create needs --name")}
			}
			n.Role = identity.Role(role)
			return c.withAccounts(cmd.Context(), func(s *accounts.Service) error {
				u, password, err := accounts.UserCreate(cmd.Context(), s, n)
				if err != nil {
					return err
				}
				fmt.Fprintln(c.out, "created", u.Name)
				if password != "" {
					fmt.Fprintln(c.out, "password:", password)
				}
				return nil
			})
		},
	}
	f := create.Flags()
	f.StringVar(&n.Name, "name", "", "name to sign in with")
	f.StringVar(&n.Password, "password", "", "password")
	f.BoolVar(&n.Admin, "admin", false, "administrator of the installation")
	f.StringVar(&n.Team, "team", "", "team to join")
	f.StringVar(&role, "role", "", "role in the team: viewer, pipeline-operator, member (default) or owner")
	list := &cobra.Command{
		Use: "list", Short: "List users", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withAccounts(cmd.Context(), func(s *accounts.Service) error {
				users, err := accounts.UserList(cmd.Context(), s)
				if err != nil {
					return err
				}
				return c.table("NAME\tADMIN\tDISABLED\tLAST LOGIN (UTC)", func(w *tabwriter.Writer) {
					for _, u := range users {
						fmt.Fprintf(w, "%s\t%v\t%v\t%s\n", u.Name, u.IsAdmin, u.Disabled, date(u.LastLogin))
					}
				})
			})
		},
	}
	disable := &cobra.Command{
		Use: "disable NAME", Short: "Disable a user; sessions and tokens stop working", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withAccounts(cmd.Context(), func(s *accounts.Service) error { return accounts.UserDisable(cmd.Context(), s, args[0]) })
		},
	}
	reset := &cobra.Command{
		Use: "reset NAME", Short: "Give a user a new password and print it", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withAccounts(cmd.Context(), func(s *accounts.Service) error {
				password, err := accounts.UserReset(cmd.Context(), s, args[0])
				if err == nil {
					fmt.Fprintln(c.out, password)
				}
				return err
			})
		},
	}
	user.AddCommand(create, list, disable, reset)
	return user
}

func (c *cli) tokenCommand() *cobra.Command {
	token := &cobra.Command{Use: "token", Short: "Create, list or revoke API tokens"}
	var n accounts.NewToken
	var user, scopes, owner string
	create := &cobra.Command{
		Use: "create", Short: "Create a token and print only its value", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if user == "" || n.Name == "" || scopes == "" {
				return errUsage{errors.New("token create needs --user, --name and --scopes")}
			}
			n.Scopes = strings.Split(scopes, ",")
			return c.withAccounts(cmd.Context(), func(s *accounts.Service) error {
				_, value, err := accounts.TokenCreate(cmd.Context(), s, user, n)
				if err == nil {
					fmt.Fprintln(c.out, value)
				}
				return err
			})
		},
	}
	f := create.Flags()
	f.StringVar(&user, "user", "", "user the token acts for")
	f.StringVar(&n.Name, "name", "", "what the token is for")
	f.StringVar(&n.Team, "team", "", "only this team")
	f.StringVar(&scopes, "scopes", "", "comma-separated: *, read, or <capability>:read|write|admin")
	f.IntVar(&n.Days, "days", 0, "days until it expires; 0 is never")
	list := &cobra.Command{
		Use: "list", Short: "List tokens", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withAccounts(cmd.Context(), func(s *accounts.Service) error {
				tokens, err := accounts.TokenList(cmd.Context(), s, owner)
				if err != nil {
					return err
				}
				return c.table("ID\tNAME\tUSER\tSCOPES\tEXPIRES (UTC)", func(w *tabwriter.Writer) {
					for _, t := range tokens {
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, t.User, strings.Join(t.Scopes, ","), date(t.Expires))
					}
				})
			})
		},
	}
	list.Flags().StringVar(&owner, "user", "", "only this user's")
	revoke := &cobra.Command{
		Use: "revoke ID", Short: "Revoke a token", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withAccounts(cmd.Context(), func(s *accounts.Service) error { return accounts.TokenRevoke(cmd.Context(), s, args[0]) })
		},
	}
	token.AddCommand(create, list, revoke)
	return token
}
