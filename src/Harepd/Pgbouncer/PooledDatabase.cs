using System.Text.RegularExpressions;

namespace Harepd.Pgbouncer;

/// <summary>
/// One database of PgBouncer's that harepd points at the writer: its name, and behind it what else its line in <c>[databases]</c> says
/// (<c>app dbname=shop pool_size=20</c>).
/// </summary>
/// <param name="Name">What clients ask PgBouncer for.</param>
/// <param name="Options">Further <c>key=value</c> pairs, parted by blanks; empty for none. Never a host or a port, which are harepd's to say.</param>
internal sealed partial record PooledDatabase(string Name, string Options)
{
    public override string ToString() => Options.Length == 0 ? Name : $"{Name} {Options}";

    /// <summary>Reads the configuration's text; false leaves a reason for the operator. Pure.</summary>
    internal static bool TryParse(string text, out PooledDatabase? database, out string reason)
    {
        database = null;
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0 || !NameForm().IsMatch(words[0]))
        {
            reason = "does not begin with the name of a database";
        }
        else if (words[0] == "pgbouncer")
        {
            reason = "pgbouncer is PgBouncer's own database";
        }
        else if (words.Skip(1).FirstOrDefault(word => !OptionForm().IsMatch(word)) is { } odd)
        {
            reason = $"'{odd}' is no key=value without quotes";
        }
        else if (words.Skip(1).FirstOrDefault(word => word.Split('=')[0] is "host" or "port" or "password") is { } taken)
        {
            reason = taken.StartsWith("password", StringComparison.Ordinal) ? "a password does not belong here" : "harepd says host and port itself";
        }
        else
        {
            reason = "";
            database = new PooledDatabase(words[0], string.Join(' ', words.Skip(1)));
        }

        return database is not null;
    }

    // What PgBouncer takes unquoted as a key of its file, and its console between quotes.
    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_.-]{0,62}$")]
    private static partial Regex NameForm();

    [GeneratedRegex("^[a-z_]+=[A-Za-z0-9_.,:/+-]+$")]
    private static partial Regex OptionForm();
}
