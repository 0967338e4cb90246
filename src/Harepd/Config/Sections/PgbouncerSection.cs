using Harepd.Pgbouncer;

namespace Harepd.Config.Sections;

/// <summary>Reads <c>pgbouncer</c>.</summary>
internal static class PgbouncerSection
{
    public static PgbouncerConfig Read(Section section)
    {
        var endpoints = section.List("endpoints", Endpoint);
        var databases = section.List("databases", Database);
        section.ReportTwice(endpoints, item => item);
        section.ReportTwice(databases, item => item.Name);
        var config = new PgbouncerConfig
        {
            Endpoints = [.. endpoints.Select(item => item.Value)],
            User = section.Value("user", Values.Identifier, "pgbouncer"),
            PassFile = section.Value("passFile", Values.Optional(Values.AbsolutePath), null),
            Databases = [.. databases.Select(item => item.Value)],
            IncludeFile = section.Value("includeFile", Values.Optional(Values.AbsolutePath), null),
            Timeout = section.Value("timeout", Values.Duration(TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(10)), TimeSpan.FromMilliseconds(500)),
            Reconcile = section.Value("reconcile", Values.Duration(TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10)), TimeSpan.FromSeconds(1)),
        };
        if (section.HasItems("endpoints") && !section.HasItems("databases"))
        {
            section.Error("databases", null, "missing, while there are endpoints", "add   databases: [\"app\"]   as clients ask PgBouncer for them");
        }

        if (section.HasItems("endpoints") && config.IncludeFile is null)
        {
            const string mend = "add   includeFile: \"/etc/pgbouncer/harepd.ini\"   and end pgbouncer.ini with   %include /etc/pgbouncer/harepd.ini";
            section.Error("includeFile", null, "missing, while there are endpoints", mend);
        }

        section.Close();
        return config;
    }

    private static Parsed<PgbouncerEndpoint> Endpoint(string text)
    {
        if (PgbouncerEndpoint.TryParse(text, out var endpoint, out var reason))
        {
            return Parsed<PgbouncerEndpoint>.Good(endpoint!);
        }

        var isBare = AddressValues.Peer(text).Problem is null;
        return Parsed<PgbouncerEndpoint>.Bad(reason, isBare ? $"tcp:{text}" : "unix:/run/postgresql/.s.PGSQL.6432 or tcp:127.0.0.1:6432");
    }

    private static Parsed<PooledDatabase> Database(string text) => PooledDatabase.TryParse(text, out var database, out var reason)
        ? Parsed<PooledDatabase>.Good(database!)
        : Parsed<PooledDatabase>.Bad(reason, "a name, and behind it key=value pairs: \"app dbname=shop pool_size=20\"");
}
