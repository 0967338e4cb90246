namespace Harepd.Config.Sections;

/// <summary>Reads <c>postgres</c> and <c>repmgr</c>. Where the file is silent, libpq's service and environment speak, then libpq's own defaults.</summary>
internal static class PostgresSection
{
    public static PostgresConfig Read(Section section, ConfigEnvironment environment)
    {
        var libpq = LibpqDefaults.Read(environment);
        if (libpq.Problem is { } problem)
        {
            section.Error("", null, problem, "name an existing service, or unset PGSERVICE");
        }

        var config = new PostgresConfig
        {
            SocketDir = section.Value("socketDir", Values.AbsolutePath, SocketDirDefault(section, libpq)),
            Port = section.Value("port", Values.Port(), Default(section, "port", libpq.Find("port", "PGPORT"), Values.Port(), 5432)),
            User = section.Value("user", Values.Identifier, Default(section, "user", libpq.Find("user", "PGUSER"), Values.Identifier, environment.UserName)),
            Database = section.Value("database", Values.Identifier, Default(section, "database", libpq.Find("dbname", "PGDATABASE"), Values.Identifier, "postgres")),
            Password = libpq.Find("password", "PGPASSWORD") is { } password ? new Secret(password.Value) : null,
            PassFile = libpq.Find("passfile", "PGPASSFILE")?.Value ?? Path.Combine(environment.HomeFolder, ".pgpass"),
            DataDirectory = section.Value("dataDirectory", Values.Optional(Values.AbsolutePath), null),
            BinDirectory = section.Value("binDirectory", Values.Optional(Values.AbsolutePath), null),
            StartCommand = section.Value("startCommand", text => Parsed<string>.Good(text), ""),
            ReplicationUser = section.Value("replicationUser", Values.Optional(Values.Identifier), null),
            PollInterval = Interval(section, "pollInterval", 10, 60_000, 500),
            AlarmedPollInterval = Interval(section, "alarmedPollInterval", 1, 10_000, 2),
            HangTimeout = Interval(section, "hangTimeout", 100, 300_000, 2_000),
            WriteProbeInterval = Interval(section, "writeProbeInterval", 100, 3_600_000, 5_000),
        };
        if (config.AlarmedPollInterval > config.PollInterval)
        {
            var calm = Units.Text(config.PollInterval);
            section.Error("alarmedPollInterval", Units.Text(config.AlarmedPollInterval), $"slower than the calm rhythm, pollInterval {calm}", $"at most {calm}");
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

    private static string SocketDirDefault(Section section, LibpqDefaults libpq)
    {
        const string debians = "/var/run/postgresql";
        if (libpq.Find("host", "PGHOST") is not var (value, source) || section.Has("socketDir") || value.StartsWith('/'))
        {
            return Default(section, "socketDir", libpq.Find("host", "PGHOST"), Values.AbsolutePath, debians);
        }

        section.Error("socketDir", value, $"no folder of a socket, from {source}", $"add   socketDir: \"{debians}\": a socket shows at once when the server dies");
        return debians;
    }

    // A default from outside only counts, and is only checked, where the key is not given.
    private static T Default<T>(Section section, string key, (string Value, string Source)? given, Func<string, Parsed<T>> parse, T otherwise)
    {
        if (section.Has(key) || given is not var (value, source))
        {
            return otherwise;
        }

        var parsed = parse(value);
        if (parsed.Problem is null)
        {
            return parsed.Value!;
        }

        section.Error(key, value, $"{parsed.Problem}, from {source}", parsed.Mend!);
        return otherwise;
    }
}
