import java.nio.file.*;
import java.sql.*;

/** Connects with each string of a file and says what came of it, a line each. */
class Driver {
    public static void main(String[] arguments) throws Exception {
        for (String text : Files.readAllLines(Path.of(arguments[0]))) {
            try (Connection connection = DriverManager.getConnection(text)) {
                ResultSet rows = connection.createStatement()
                    .executeQuery("select ssl from pg_stat_ssl where pid = pg_backend_pid()");
                rows.next();
                System.out.println(rows.getBoolean(1) ? "tls" : "plaintext");
            } catch (Exception error) {
                System.out.println("refused " + String.valueOf(error.getMessage()).replaceAll("\\s+", " "));
            }
        }
    }
}
