import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.List;

/** What a BI tool does with its JDBC driver: looks around, binds values, reads types. One line an answer. */
public class Tool {
    public static void main(String[] args) throws SQLException {
        try (Connection store = DriverManager.getConnection(args[0], args[1], args[2])) {
            System.out.println("valid\t" + store.isValid(5));
            look(store.getMetaData(), args[3]);
            types(store);
            say(store, "rows", "SELECT finding_id FROM findings FINAL");
            say(store, "many", "SELECT count() FROM (SELECT number FROM numbers(100000))");
            say(store, "unknown", "SELECT nonsense");
            say(store, "drop", "DROP TABLE findings");
            say(store, "insert", "INSERT INTO findings (finding_id) VALUES ('f2')");
        } catch (SQLException error) {
            System.out.println("refused\t" + error.getMessage().strip());
        }
    }

    static void look(DatabaseMetaData seen, String database) throws SQLException {
        System.out.println("product\t" + seen.getDatabaseProductName());
        System.out.println("schemas\t" + column(seen.getSchemas(), 1));
        System.out.println("tables\t" + column(seen.getTables(null, database, "%", null), 3));
        System.out.println("columns\t" + column(seen.getColumns(null, database, "findings", "%"), 4));
        System.out.println("key\t" + column(seen.getPrimaryKeys(null, database, "findings"), 4));
        System.out.println("functions\t" + column(seen.getFunctions(null, null, "%"), 3).size());
    }

    static void types(Connection store) throws SQLException {
        String query = "SELECT ? AS s, toDateTime64('2026-03-01 10:00:00.123', 3, 'UTC') AS t, map('a', 1) AS m,"
            + " CAST(NULL AS Nullable(Float64)) AS f, 0.5 AS h, toLowCardinality('l') AS l, number FROM numbers(?)";
        try (PreparedStatement asked = store.prepareStatement(query)) {
            asked.setString(1, "it's \\ ä");
            asked.setInt(2, 2);
            try (ResultSet row = asked.executeQuery()) {
                while (row.next()) {
                    Timestamp time = row.getTimestamp(2);
                    System.out.println("typed\t" + String.join("|", row.getString(1), time.toString(),
                        row.getObject(3).toString(), String.valueOf(row.getObject(4)), row.getString(5),
                        row.getString(6), row.getString(7)));
                }
            }
        }
    }

    static void say(Connection store, String name, String query) {
        try (Statement asked = store.createStatement()) {
            asked.setQueryTimeout(20);
            System.out.println(name + "\t" + (asked.execute(query) ? column(asked.getResultSet(), 1) : "done"));
        } catch (SQLException error) {
            System.out.println(name + "\t" + error.getMessage().strip());
        }
    }

    static List<String> column(ResultSet rows, int place) throws SQLException {
        List<String> found = new ArrayList<>();
        while (rows.next()) {
            found.add(rows.getString(place));
        }
        rows.close();
        return found;
    }
}
