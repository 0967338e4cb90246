using System.Globalization;
using Harepd.Clock;
using Harepd.Config;
using Harepd.Pgbouncer;
using Harepd.Runtime;

namespace Harepd.Cli.Check;

/// <summary>Asks every configured PgBouncer, as the daemon would, and looks whether its file can be written. Changes nothing.</summary>
internal static class PgbouncerDoors
{
    /// <summary>With a longer one a pool that met the fenced server waits for so long before it looks at the new one.</summary>
    private const double LongestRetry = 1;

    public static IEnumerable<Task<DoorAnswer>> Try(HarepdConfig config)
    {
        var target = Pointing.TargetOf(config);
        return config.Pgbouncer.Endpoints.Select(endpoint => Task.Run(() => Ask(endpoint, target, config.Pgbouncer.Timeout)));
    }

    private static DoorAnswer Ask(PgbouncerEndpoint endpoint, PgbouncerTarget target, TimeSpan timeout)
    {
        var door = $"PgBouncer {endpoint}";
        using var console = new PgbouncerConsole(endpoint, target);
        if (console.Read(BootClock.Now + timeout, out var reason) is not { } view)
        {
            return DoorAnswer.Shut(door, $"{reason} (as {target.User})");
        }

        if (!File.Exists(target.IncludeFile))
        {
            return DoorAnswer.Shut(door, $"there is no {target.IncludeFile}: make it, empty, and end pgbouncer.ini with   %include {target.IncludeFile}");
        }

        if (FileDoors.WhyNotReplaceable(target.IncludeFile) is { Length: > 0 } refusal)
        {
            return DoorAnswer.Shut(door, refusal);
        }

        if (target.Databases.FirstOrDefault(database => view.Find(database.Name) is null) is { } missing)
        {
            var hint = $"it comes with the first writer, if pgbouncer.ini ends with   %include {target.IncludeFile}";
            return DoorAnswer.Noted(door, $"answers; there is no database {missing.Name} yet: {hint}");
        }

        var places = string.Join(", ", target.Databases.Select(database => view.Find(database.Name)!).Select(row => $"{row.Name} at {row.Host}:{row.Port}"));
        var retry = console.Setting("server_login_retry", BootClock.Now + timeout);
        return double.TryParse(retry, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds > LongestRetry
            ? DoorAnswer.Noted(door, $"{places}; server_login_retry is {retry} s, and a failover may take as long: set it to 1 or less")
            : DoorAnswer.Open(door, places);
    }
}
