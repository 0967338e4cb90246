using System.Globalization;
using System.Text;
using Harepd.Files;

namespace Harepd.Postgres.Control;

/// <summary>
/// Which run of the server was told to promote itself: written on tmpfs before it is told, so that the next run of the daemon knows that the
/// standby it finds may be a primary a moment later. A note about a run that is over says nothing.
/// </summary>
internal sealed class PromotionNote(string runDir)
{
    private string Path => System.IO.Path.Combine(runDir, "promotion");

    /// <summary>Notes the run; false when that failed, and then nobody may be told.</summary>
    public bool Write(Postmaster run) => AtomicFile.Replace(Path, Encoding.ASCII.GetBytes(TextOf(run)), Durability.VisibleOnly).IsDone;

    /// <summary>The order was not given after all.</summary>
    public void Remove()
    {
        try
        {
            File.Delete(Path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It stays, and keeps readers out for the rest of this run of the server.
        }
    }

    /// <summary>True when this very run was told; when the note cannot be read, too.</summary>
    public bool IsOf(Postmaster run)
    {
        try
        {
            return File.Exists(Path) && File.ReadAllText(Path) == TextOf(run);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    private static string TextOf(Postmaster run) => string.Create(CultureInfo.InvariantCulture, $"{run.Pid} {run.StartTicks}\n");
}
