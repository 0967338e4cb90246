using Harepd.Files;

namespace Harepd.Runtime;

/// <summary>
/// An operator's word that a voter without a note of the last timeline may vote although members are missing that could have told it. A file in the state
/// folder, taken away by the start that obeys it.
/// </summary>
internal static class TimelineTrust
{
    private const string Name = "timeline.trusted";

    /// <summary>Leaves the word for the daemon's next start; what went wrong, or null.</summary>
    public static string? Give(string stateDir)
    {
        var made = AtomicFile.Replace(Path.Combine(stateDir, Name), []);
        return made.IsDone ? null : made.Error;
    }

    /// <summary>True once for each time it was given; false when the word cannot be taken away, for it would count for ever.</summary>
    public static bool Take(string stateDir)
    {
        var path = Path.Combine(stateDir, Name);
        try
        {
            if (!File.Exists(path))
            {
                return false;
            }

            File.Delete(path);
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
