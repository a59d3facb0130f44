SELECT name AS disk, 1 - free_space / nullIf(total_space, 0) AS used_share, free_space AS free_bytes
FROM system.disks
ORDER BY disk
