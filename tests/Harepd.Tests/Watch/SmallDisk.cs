using Harepd.Tests.Files;

namespace Harepd.Tests.Watch;

/// <summary>A small tmpfs over an existing folder, with the folder's content, so that a disk can be filled in a test. Needs root.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _folder;
    private bool _isGone;

    public SmallDisk(string folder, int megabytes)
    {
        _folder = folder;
        var copy = folder + ".copy";
        Command.Run("mv", folder, copy);
        Directory.CreateDirectory(folder);
        Command.Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m,mode=0700", "harepd-test", folder);
        Command.Run("chown", "postgres:postgres", folder);
        Command.Run("sh", "-c", $"cp -a {copy}/. {folder}/");
    }

    /// <summary>Takes the disk away again; the folder keeps what it has now. Nothing may be open in it.</summary>
    public void MoveBack()
    {
        var copy = _folder + ".copy";
        Command.Run("sh", "-c", $"rm -rf {copy} && mkdir -m 0700 {copy} && chown postgres:postgres {copy} && cp -a {_folder}/. {copy}/");
        Command.Run("umount", _folder);
        Command.Run("sh", "-c", $"rmdir {_folder} && mv {copy} {_folder}");
        _isGone = true;
    }

    /// <summary>Leaves no byte free.</summary>
    public void Fill()
    {
        try
        {
            using var file = new FileStream(Path.Combine(_folder, "filler"), FileMode.Create);
            var block = new byte[4096];
            while (true)
            {
                file.Write(block);
                file.Flush();
            }
        }
        catch (IOException)
        {
            // Full, which is what is wanted.
        }
    }

    public void Empty() => File.Delete(Path.Combine(_folder, "filler"));

    public void Dispose()
    {
        if (!_isGone)
        {
            Command.Run("umount", "-l", _folder);
        }
    }
}
