using Harepd.Tests.Files;

namespace Harepd.Tests.Postgres;

/// <summary>A small file system of its own on a loop device, mounted over a folder, that can be frozen: writes then wait for ever, as on a dead disk.</summary>
internal sealed class FreezableDisk : IDisposable
{
    private readonly string _image;
    private readonly string _folder;
    private bool _isFrozen;

    private FreezableDisk(string image, string folder) => (_image, _folder) = (image, folder);

    /// <summary>False in a container without loop devices.</summary>
    public static bool IsPossible => File.Exists("/dev/loop-control");

    public static FreezableDisk Under(string folder)
    {
        var image = folder + ".image";
        Command.Run("truncate", "-s", "160M", image);
        Command.Run("mkfs.ext4", "-q", "-E", "root_owner=0:0", image);
        Command.Run("mount", "-o", "loop", image, folder);
        return new FreezableDisk(image, folder);
    }

    private bool IsUnmounted()
    {
        try
        {
            Command.Run("umount", _folder);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    public void Freeze()
    {
        Command.Run("fsfreeze", "-f", _folder);
        _isFrozen = true;
    }

    public void Thaw()
    {
        if (_isFrozen)
        {
            _isFrozen = false;
            Command.Run("fsfreeze", "-u", _folder);
        }
    }

    public void Dispose()
    {
        Thaw();

        // Who was held by the frozen disk ends only now, and keeps it busy until then.
        Eventually.True(IsUnmounted, "the disk is free");
        File.Delete(_image);
    }
}
