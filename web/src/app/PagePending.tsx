import { useEffect } from "react";
import { useFrame } from "@/ui/frame/context";
import { Skeleton, SkeletonRows } from "@/ui/Skeleton";

/** The first load of a page: a header and rows where the real ones will be, and the column of its list kept. */
export function PagePending() {
  const { claimContext } = useFrame();
  useEffect(claimContext, [claimContext]);
  return (
    <>
      <div className="head" aria-hidden="true">
        <div className="top">
          <Skeleton width={180} height={14} />
        </div>
        <div className="bottom bare" />
      </div>
      <SkeletonRows />
    </>
  );
}
