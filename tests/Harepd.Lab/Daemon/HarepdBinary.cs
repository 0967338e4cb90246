using Harepd.Lab.Machine;

namespace Harepd.Lab.Daemon;

/// <summary>Finds the daemon to test.</summary>
public static class HarepdBinary
{
    /// <summary>
    /// HAREPD_BINARY when set; otherwise the one built beside this assembly in <c>artifacts</c>, otherwise <c>out/harepd</c>.
    /// </summary>
    /// <exception cref="LabException">There is none.</exception>
    public static string Find()
    {
        if (Environment.GetEnvironmentVariable("HAREPD_BINARY") is { Length: > 0 } chosen)
        {
            return File.Exists(chosen) ? chosen : throw new LabException($"HAREPD_BINARY={chosen} does not exist");
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string[] places = ["artifacts/bin/Harepd/release/harepd", "artifacts/bin/Harepd/debug/harepd", "out/harepd"];
            if (places.Select(place => Path.Combine(folder.FullName, place)).FirstOrDefault(File.Exists) is { } found)
            {
                return found;
            }
        }

        throw new LabException("no daemon was built; run ./build.sh first");
    }
}
