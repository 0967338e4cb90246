namespace Harepd.Config.Sections;

/// <summary>Reads <c>postgres</c> and <c>repmgr</c>. Where the file is silent, libpq's environment speaks, then libpq's own defaults.</summary>
internal static class PostgresSection
{
    public static PostgresConfig Read(Section section, ConfigEnvironment environment)
    {
        var config = new PostgresConfig
        {
            SocketDir = section.Value("socketDir", Values.AbsolutePath, FromEnvironment(section, environment, "PGHOST") ?? "/var/run/postgresql"),
            Port = section.Value("port", Values.Port(), PortFromEnvironment(section, environment)),
            User = section.Value("user", Values.Identifier, FromEnvironment(section, environment, "PGUSER") ?? environment.UserName),
            Database = section.Value("database", Values.Identifier, FromEnvironment(section, environment, "PGDATABASE") ?? "postgres"),
            DataDirectory = section.Value("dataDirectory", Values.Optional(Values.AbsolutePath), null),
            BinDirectory = section.Value("binDirectory", Values.Optional(Values.AbsolutePath), null),
            PollInterval = Interval(section, "pollInterval", 10, 60_000, 500),
            AlarmedPollInterval = Interval(section, "alarmedPollInterval", 1, 10_000, 2),
            HangTimeout = Interval(section, "hangTimeout", 100, 300_000, 2_000),
            WriteProbeInterval = Interval(section, "writeProbeInterval", 100, 3_600_000, 5_000),
        };
        if (config.AlarmedPollInterval > config.PollInterval)
        {
            var problem = $"slower than the calm rhythm, pollInterval {Units.Text(config.PollInterval)}";
            section.Error("alarmedPollInterval", Units.Text(config.AlarmedPollInterval), problem, $"at most {Units.Text(config.PollInterval)}");
        }

        section.Close();
        return config;
    }

    public static RepmgrConfig? ReadRepmgr(Section root)
    {
        var section = root.Child("repmgr");
        var config = new RepmgrConfig(section.Value("user", Values.Identifier, "repmgr"), section.Value("db", Values.Identifier, "repmgr"));
        section.Close();
        return root.Has("repmgr") ? config : null;
    }

    private static TimeSpan Interval(Section section, string key, int minMilliseconds, int maxMilliseconds, int fallback) =>
        section.Value(
            key,
            Values.Duration(TimeSpan.FromMilliseconds(minMilliseconds), TimeSpan.FromMilliseconds(maxMilliseconds)),
            TimeSpan.FromMilliseconds(fallback));

    // A variable only counts, and is only checked, where the key is not given.
    private static string? FromEnvironment(Section section, ConfigEnvironment environment, string variable)
    {
        var key = variable switch { "PGHOST" => "socketDir", "PGUSER" => "user", _ => "database" };
        if (section.Has(key) || environment.Variable(variable) is not { Length: > 0 } value)
        {
            return null;
        }

        var parsed = variable == "PGHOST" ? Values.AbsolutePath(value) : Values.Identifier(value);
        if (parsed.Problem is null)
        {
            return value;
        }

        var mend = variable == "PGHOST" ? "add   socketDir: \"/var/run/postgresql\": a socket shows at once when the server dies" : parsed.Mend!;
        section.Error(key, value, $"{parsed.Problem}, from the environment's {variable}", mend);
        return null;
    }

    private static int PortFromEnvironment(Section section, ConfigEnvironment environment)
    {
        const int libpqDefault = 5432;
        if (section.Has("port") || environment.Variable("PGPORT") is not { Length: > 0 } value)
        {
            return libpqDefault;
        }

        var parsed = Values.Port()(value);
        if (parsed.Problem is not null)
        {
            section.Error("port", value, $"{parsed.Problem}, from the environment's PGPORT", parsed.Mend!);
        }

        return parsed.Problem is null ? parsed.Value : libpqDefault;
    }
}
