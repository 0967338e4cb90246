namespace Harepd.Config;

/// <summary>
/// What libpq would use where the configuration is silent: the service that PGSERVICE names in the service file, then the environment
/// (PostgreSQL manual, "Environment Variables" and "The Connection Service File"). A service wins over the variables, as in libpq.
/// </summary>
internal sealed class LibpqDefaults
{
    private readonly ConfigEnvironment _environment;
    private readonly Dictionary<string, string> _service;

    private LibpqDefaults(ConfigEnvironment environment, Dictionary<string, string> service, string? problem)
    {
        _environment = environment;
        _service = service;
        Problem = problem;
    }

    /// <summary>Why the service could not be used; null where all is well or none is named.</summary>
    public string? Problem { get; }

    public static LibpqDefaults Read(ConfigEnvironment environment)
    {
        if (environment.Variable("PGSERVICE") is not { Length: > 0 } name)
        {
            return new LibpqDefaults(environment, [], null);
        }

        foreach (var file in ServiceFiles(environment))
        {
            if (environment.ReadLines(file) is { } lines && Find(lines, name) is { } service)
            {
                return new LibpqDefaults(environment, service, null);
            }
        }

        return new LibpqDefaults(environment, [], $"the environment's PGSERVICE names \"{name}\", which is in none of {string.Join(", ", ServiceFiles(environment))}");
    }

    /// <summary>A setting by its name in a service file and its variable, with the place it comes from; null where neither is given.</summary>
    public (string Value, string Source)? Find(string setting, string variable) =>
        _service.TryGetValue(setting, out var value) && value.Length > 0 ? (value, $"the service's {setting}")
        : _environment.Variable(variable) is { Length: > 0 } fromVariable ? (fromVariable, $"the environment's {variable}")
        : null;

    private static List<string> ServiceFiles(ConfigEnvironment environment) =>
        environment.Variable("PGSERVICEFILE") is { Length: > 0 } file
            ? [file]
            : [Path.Combine(environment.HomeFolder, ".pg_service.conf"), Path.Combine(environment.Variable("PGSYSCONFDIR") ?? "/etc/postgresql-common", "pg_service.conf")];

    private static Dictionary<string, string>? Find(IEnumerable<string> lines, string name)
    {
        Dictionary<string, string>? found = null;
        foreach (var line in lines.Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#'))
        {
            if (line[0] == '[')
            {
                if (found is not null)
                {
                    break;
                }

                found = line == $"[{name}]" ? new Dictionary<string, string>(StringComparer.Ordinal) : null;
            }
            else if (found is not null && line.Split('=', 2) is [var key, var value])
            {
                // libpq takes the first of two.
                found.TryAdd(key.Trim(), value.Trim());
            }
        }

        return found;
    }
}
