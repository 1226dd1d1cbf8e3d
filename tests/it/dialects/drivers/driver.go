// Connects with each string of a file and says what came of it, a line each. Arguments: the driver, the file.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v4"
	_ "github.com/lib/pq"
)

const query = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"

func byPgx(text string) (ssl bool, err error) {
	background := context.Background()
	connection, err := pgx.Connect(background, text)
	if err != nil {
		return false, err
	}
	defer connection.Close(background)
	err = connection.QueryRow(background, query).Scan(&ssl)
	return ssl, err
}

func byPq(text string) (bool, error) {
	db, err := sql.Open("postgres", text)
	if err != nil {
		return false, err
	}
	defer db.Close()
	var ssl bool
	err = db.QueryRow(query).Scan(&ssl)
	return ssl, err
}

func main() {
	connect := map[string]func(string) (bool, error){"lib-pq": byPq, "pgx": byPgx}[os.Args[1]]
	file, err := os.Open(os.Args[2])
	if err != nil {
		panic(err)
	}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		ssl, err := connect(lines.Text())
		switch {
		case err != nil:
			fmt.Println("refused " + strings.Join(strings.Fields(err.Error()), " "))
		case ssl:
			fmt.Println("tls")
		default:
			fmt.Println("plaintext")
		}
	}
}
