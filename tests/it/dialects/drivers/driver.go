// Connects with each string of a file and says what came of it, a line each.
package main

import (
	"bufio"
	"database/sql"
	"fmt"
	"os"
	"strings"

	_ "github.com/lib/pq"
)

func connect(text string) (bool, error) {
	db, err := sql.Open("postgres", text)
	if err != nil {
		return false, err
	}
	defer db.Close()
	var ssl bool
	err = db.QueryRow("select ssl from pg_stat_ssl where pid = pg_backend_pid()").Scan(&ssl)
	return ssl, err
}

func main() {
	file, err := os.Open(os.Args[1])
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
